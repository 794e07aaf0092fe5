"""rawstep's hand-written layer: update rules, the optimizer, costs and the training program."""

from .signals import give_signals_a_stack
from .start import import_tensorflow

import_tensorflow()
give_signals_a_stack()

from .costs import accuracy, at_least_float32, softmax_cross_entropy
from .engine.feeds import Iterated, Resident, Streamed
from .engine.guard import Guard
from .engine.loss_scale import LossScale
from .engine.optimizer import Optimizer
from .engine.program import Program
from .engine.recorder import Recorder
from .errors import InputError, NonFiniteError, SlowExecutionWarning, WorkerLostError
from .rules import (
    L2,
    RULES,
    At,
    Average,
    Chain,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    DecoupledDecay,
    Rule,
    Step,
    around,
    chain,
    groups,
    matrices,
    only,
    schedules,
    vectors,
)
from .rules.builtin import *
