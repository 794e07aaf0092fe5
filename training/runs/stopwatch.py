"""Tells compilation from training in the times of successive calls."""


class Stopwatch:
    """Sums up calls of a program, of which the first of each length may trace and compile.

    The rate is that of all later calls, and what the first ones took beyond their steps at that rate is compilation.
    While there is no later call the two cannot be separated: the rate is then that of all calls, compilation
    included, and the seconds of compilation are None. Before any call both are None.
    """

    def __init__(self) -> None:
        self._first: dict[int, float] = {}
        self._later_steps = 0
        self._later_seconds = 0.0

    def record(self, steps: int, seconds: float) -> None:
        """Takes note of one call of `steps` steps."""
        if steps in self._first:
            self._later_steps += steps
            self._later_seconds += seconds
        else:
            self._first[steps] = seconds

    @property
    def seconds(self) -> float:
        """Of all calls."""
        return sum(self._first.values()) + self._later_seconds

    @property
    def steps_per_second(self) -> float | None:
        if self._later_steps:
            return self._later_steps / self._later_seconds
        return sum(self._first) / sum(self._first.values()) if self._first else None

    @property
    def compile_seconds(self) -> float | None:
        if not self._later_steps:
            return None
        first_steps_alone = sum(self._first) * self._later_seconds / self._later_steps
        return max(0.0, sum(self._first.values()) - first_steps_alone)
