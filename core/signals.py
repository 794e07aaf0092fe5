"""Signal handlers that leave TensorFlow's memory alone."""

import faulthandler
import os


def give_signals_a_stack() -> None:
    """Lets signal handlers of this thread, as a rule the main one, run on a stack of their own.

    XLA's matrix products on a CPU do not bear a handler on the stack that they use: Ctrl-C, `kill` or a timer that
    comes in the midst of one corrupts the heap, and the process aborts (TensorFlow 2.21; the more often, the fewer
    processors there are, for this thread then computes more of them). Python's handlers take another stack where there
    is one, and its faulthandler, once it has been enabled, leaves one behind.
    """
    if not faulthandler.is_enabled():
        with open(os.devnull, "w") as nowhere:
            faulthandler.enable(nowhere)
            faulthandler.disable()
