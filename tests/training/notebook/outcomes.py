"""Outcomes of runs that were never made, for what only reads outcomes."""

from training.notebook.works import Training


def outcome(costs, validation, test=None):
    epochs = zip(costs, validation, test or validation, strict=True)
    names = ("cost", "validation_accuracy", "test_accuracy")
    return {"epochs": [dict(zip(names, values, strict=True)) for values in epochs]}


def finish(part, finished, figures):
    """Finishes all that a part asks for, and what it asks for then; `figures` gives a run's accuracy by its settings.

    Returns the names in the order of asking.
    """
    while missing := [work for work in part.works(finished) if work.name not in finished]:
        work = missing[0]
        assert isinstance(work, Training)
        settings = work.settings
        finished[work.name] = outcome([1.0] * settings.epochs, [figures(settings)] * settings.epochs)
    return finished
