"""The figures of a run by name, as a person reads them."""

from collections.abc import Iterable


def heading(name: str) -> str:
    """validation accuracy for validation_accuracy."""
    return name.replace("_", " ")


def figure(name: str, value: float) -> str:
    """An accuracy with four places, any other mean with six digits."""
    return f"{value:.4f}" if name.endswith("accuracy") else f"{value:.6g}"


def judging(names: Iterable[str], judged_by: str) -> list[str]:
    """Those that a person judges by: the metrics, and the costs where a workload is judged by its cost."""
    return [name for name in names if judged_by == "cost" or not name.endswith("_cost")]
