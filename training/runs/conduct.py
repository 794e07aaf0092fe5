"""A run to its end, or to what ends it: its state is saved first."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from signal import Signals

from core import NonFiniteError

from ..output.interruption import Interrupted
from .figures import figure, heading
from .run_folder import RunFolder
from .trainer import Call, Trainer


def conduct(trainer: Trainer, folder: RunFolder | None, signals: Sequence[Signals]) -> Generator[Call, None, None]:
    """Trains what is left of a run, saving it in its folder where it has one, and yields after each call.

    signals: those that came meanwhile; see `interruption.signals_noted`.

    Raises Interrupted after the first signal, and NonFiniteError as `Trainer.train` does; the message says from where
    to go on. Raises InputError where the run cannot be saved. However it ends, what was to be saved is on disk then.
    """
    with folder or nullcontext():
        try:
            for call in trainer.train():
                # Copied before anything is shown: the terminal may be what has gone.
                if (signal := trainer.distribution.agreed(signals)) is not None:
                    raise Interrupted(signal, _saved(trainer, folder))
                if folder is not None:
                    folder.save_if_due(trainer)
                yield call
        except NonFiniteError as error:
            advice = f"{_saved(trainer, folder)}; a smaller --learning-rate or --schedule may help"
            raise NonFiniteError(error.step, f"{error.what}; {advice}") from error


def endings(trainer: Trainer, folder: RunFolder | None) -> Iterator[str]:
    """Of a run that has ended: why it ended early, and where its best epoch is, a sentence each."""
    if trainer.out_of_patience:
        patience = trainer.settings.patience
        yield (
            f"stopped after epoch {len(trainer.history)}: --patience {patience}, and the best "
            f"{heading(trainer.judged_by)} is epoch {trainer.best_epoch}'s"
        )
    if folder is not None and (path := folder.best_path(trainer)):
        best = trainer.history[trainer.best_epoch - 1].figures[trainer.judged_by]
        judged = f"{heading(trainer.judged_by)} {figure(trainer.judged_by, best)}"
        yield f"the best epoch is {trainer.best_epoch}, with {judged}, kept in {path}"


def go_on_from(folder: RunFolder | None) -> str:
    """From where to go on after a worker was lost; what came after the last save is lost with it."""
    path = None if folder is None else folder.newest_path
    return "nothing was kept" if path is None else f"go on from {path} with --resume"


def _saved(trainer: Trainer, folder: RunFolder | None) -> str:
    return "nothing was kept" if folder is None else f"go on from {folder.save(trainer)} with --resume"
