"""A training run's workload as the ladder's rungs have it: from one start, in any execution and dtype."""

import tensorflow as tf

from core import Optimizer, Program, Rule
from core.engine.executions import execution_mode

from ...runs.building import check_masks
from ...runs.compiling import compiled_with
from ...runs.settings import Settings
from ...workloads.check import checked_variables
from ...workloads.workload import Data
from .ladder import Build, Subject


def builder(settings: Settings, data: Data, rule: Rule | None = None) -> Build:
    """Builds the program that `rawstep train` runs with these settings, except for its execution and dtype, and the
    rule where one is given.

    In float64, variables start from what they are in float32: what differs is the arithmetic in between, and the
    rule's constants, which are rounded to the variables' dtype.

    Raises InputError, some of it when it builds, for what `Trainer` refuses.
    """
    rule, workload = rule or settings.make_rule(), settings.make_workload()
    start = checked_variables(workload, data, settings.seed, settings.batch_size)
    check_masks(settings, start, workload.groups)
    one_pass = compiled_with(settings, workload.products(data), start).one_pass

    def build(execution: str, dtype: tf.DType | None = None) -> Subject:
        mode = execution_mode(execution)
        variables = {
            name: tf.Variable(tf.cast(value, dtype or value.dtype), name=name) for name, value in start.items()
        }
        optimizer = Optimizer(rule, variables, one_pass=one_pass and mode.compiled)
        return Subject(Program(workload.cost, variables, optimizer, mode), variables)

    return build
