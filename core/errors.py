"""The exceptions that mean: this sentence says what is wrong, and a person can do something about it."""


class InputError(ValueError):
    """A setting, tensor or file that cannot be used; its message is one sentence for the person who passed it."""


class NonFiniteError(FloatingPointError):
    """A run that left the finite numbers.

    step: the first step that did, from 1. what: the first of its values that is not finite, in words.
    """

    def __init__(self, step: int, what: str):
        super().__init__(f"step {step:,} left the finite numbers: {what}")
        self.step, self.what = step, what
