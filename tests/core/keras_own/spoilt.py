"""A pytest plugin, loaded after put_in: KerasOptimizer takes steps of twice the length, to be seen."""

from core.bridges.keras import KerasOptimizer

right = KerasOptimizer.update_step


def update_step(self, gradient, variable, learning_rate):
    right(self, gradient, variable, 2 * learning_rate)


def pytest_configure() -> None:
    KerasOptimizer.update_step = update_step
