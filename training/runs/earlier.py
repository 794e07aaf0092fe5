"""What earlier versions of rawstep wrote of a run, in today's form."""

from collections.abc import Mapping
from typing import Any


def of_before(run: Mapping[str, Any], number: int) -> dict[str, Any]:
    """`Checkpoint.run` as an earlier rawstep wrote it, in the form of format `number`.

    In 5, no digests lay beside it. In 4, all data were resident. Before that, a run was the perceptron's on images,
    with its validation accuracies; in 3, settings had all that is around a rule; in 2 nothing; in 1, validation images
    always were the first too.

    Raises KeyError, TypeError or ValueError for what none wrote.
    """
    if run["format"] == 5:
        return {**run, "format": number}
    run = {**run, "feed": run["sampler"]}
    del run["sampler"]
    if run["format"] == 4:
        return run | {"format": number}
    settings, data = dict(run["settings"]), dict(run["data"])
    if run["format"] == 1:
        settings["validation"] = data["validation"] = "first"
    kind = f"uint8 [{data['pixels']}], uint8 []"
    return {
        **run,
        "format": number,
        "settings": of_perceptron(settings),
        "data": {"examples": data["images"], "kind": kind, **{name: data[name] for name in ("validation", "sha256")}},
        "epochs": [[cost, {"validation_accuracy": accuracy}] for cost, accuracy in run["epochs"]],
    }


def of_perceptron(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a rawstep that trained the perceptron alone, as JSON has them, in today's form."""
    rest = dict(settings)
    usual = {"hidden": [], "init": "normal", "data_dir": None, "validation": None}
    own = {name: rest.pop(name, None) or value for name, value in usual.items()}
    return {**rest, "workload": "mlp", "workload_options": own}
