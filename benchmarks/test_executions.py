"""The time of one call of 50 steps of the notebook's network, in each execution. For history, not for comparing:
tests run one after another, and a machine drifts in between.
"""

from typing import get_args

import pytest
import tensorflow as tf

from core.program import Execution
from training.data import load_dataset
from training.loop import Trainer
from training.settings import Settings

STEPS = 50


@pytest.mark.parametrize("execution", get_args(Execution))
def test_one_call(benchmark, execution):
    trainer = Trainer(Settings(execution=execution), load_dataset())
    data = [tf.constant(array) for array in trainer.dataset.train]
    batches = tf.constant(trainer.sampler.take(STEPS))
    benchmark.extra_info["steps"] = STEPS
    benchmark.pedantic(lambda: trainer.program.run(data, batches).numpy(), warmup_rounds=2, rounds=10)
