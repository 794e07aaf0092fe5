"""The folder of a run: what is saved when, what is kept, and what becomes of damage, names and other processes."""

import os
import shutil
from dataclasses import replace

import pytest
import tensorflow as tf

from core import InputError
from training.runs.checkpoints import KEPT, OUTDATED, UNFINISHED
from training.runs.conduct import endings
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer

from .. import striped
from ..disk import files_no_larger_than
from ..striped import striped_data, trained

pytestmark = pytest.mark.usefixtures("striped_images_loaded")

SETTINGS = replace(striped.SETTINGS, execution="graph")
"""What is saved does not depend on the execution, and this one needs no compiler."""


def test_a_folder_that_holds_a_run_is_left_alone_without_resume(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save(trained(SETTINGS, calls=1))
    with pytest.raises(InputError, match="holds a run already; give --resume to go on with it, or another folder"):
        folder.begin(SETTINGS, resume=False)


def test_resuming_from_nothing_starts_afresh_and_says_so(tmp_path):
    trainer, said = RunFolder(tmp_path / "absent").begin(SETTINGS, resume=True)
    assert said == [f"{tmp_path / 'absent'} holds no run to resume: starting afresh"]
    assert trainer.step == 0


def saved_steps(path):
    return sorted(int(folder.name.removeprefix("step-")) for folder in path.iterdir())


@pytest.mark.parametrize(
    ("save_every", "steps"), [(None, [32, 64, 96]), (1, [64, 80, 96]), (40, [48, 96]), (1000, [96])]
)
def test_a_run_is_saved_when_it_is_due_and_the_last_three_are_kept(tmp_path, save_every, steps):
    trainer = Trainer(SETTINGS, striped_data())
    with RunFolder(tmp_path, save_every) as folder:
        for _ in trainer.train():
            folder.save_if_due(trainer)
    assert saved_steps(tmp_path) == steps
    assert len(steps) <= KEPT


PATIENT = replace(SETTINGS, epochs=40, patience=4, keep_best=True)


def test_a_run_out_of_patience_stops_and_its_best_epoch_is_kept_through_interruptions(tmp_path):
    """The validation accuracy of the striped images soon stays at its best."""
    whole, folder = Trainer(PATIENT, striped_data()), RunFolder(tmp_path / "whole", save_every=40)
    for _ in whole.train():
        folder.save_if_due(whole)
    accuracies = [epoch.figures["validation_accuracy"] for epoch in whole.history]
    best = accuracies.index(max(accuracies)) + 1
    assert len(accuracies) == best + 4 < 40
    kept = folder.chosen(best=True)
    assert list(endings(whole, folder)) == [
        f"stopped after epoch {best + 4}: --patience 4, and the best validation accuracy is epoch {best}'s",
        f"the best epoch is {best}, with validation accuracy {max(accuracies):.4f}, kept in {kept.path}",
    ]
    assert (len(kept.run["epochs"]), kept.step) == (best, 32 * best)
    assert kept.path not in sorted(folder.path.iterdir())[-KEPT:]
    assert folder.newest().path == sorted(folder.path.iterdir())[-1]
    for calls in range(1, 100):  # a process that dies again and again
        trainer, said = RunFolder(tmp_path / "run", save_every=1).begin(PATIENT, resume=True)
        if trainer.finished:
            break
        next(trainer.train())
        if trainer.costs or calls % 3:
            RunFolder(tmp_path / "run").save(trainer)
        else:
            with RunFolder(tmp_path / "run", save_every=1) as folder_of_process:
                folder_of_process.save_if_due(trainer)
    assert said[-1] == f"epoch {best} is still the best; a greater --patience goes further"
    assert trainer.history == whole.history
    assert RunFolder(tmp_path / "run").chosen(best=True).digest == kept.digest
    shutil.rmtree(kept.path)
    with pytest.raises(InputError, match=f"The best epoch of .*whole is {best}; .* is not there any more"):
        folder.chosen(best=True)


def test_there_is_no_best_checkpoint_of_a_run_that_keeps_none_or_has_no_epoch_yet(tmp_path):
    for name, settings, why in [("a", SETTINGS, "of a run without --keep-best"), ("b", PATIENT, "in its first epoch")]:
        RunFolder(tmp_path / name).save(trained(settings, calls=1))
        with pytest.raises(InputError, match=f"is {why}: there is no best checkpoint"):
            RunFolder(tmp_path / name).chosen(best=True)


def test_what_a_killed_process_left_half_written_is_no_checkpoint_and_goes_with_the_next_save(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save(trained(SETTINGS, calls=1))
    for name in (UNFINISHED, OUTDATED):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.index").write_bytes(b"half")
    resumed, _ = folder.begin(Settings(), resume=True)
    assert resumed.step == 16
    next(resumed.train())
    folder.save(resumed)
    assert saved_steps(tmp_path) == [16, 32], "and nothing else is there"


def test_a_full_disk_ends_in_a_sentence_and_keeps_what_was_saved(tmp_path):
    folder = RunFolder(tmp_path)
    trainer = Trainer(SETTINGS, striped_data())
    calls = trainer.train()
    next(calls)
    saved = folder.save(trainer)
    next(calls)
    with files_no_larger_than(1000), pytest.raises(InputError, match="step-00000032 cannot be written: "):
        folder.save(trainer)
    assert os.listdir(tmp_path) == [saved.name]
    assert folder.newest().path == saved


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    """Each object stands for a process: a lock is the descriptor's, and theirs are two."""
    first = RunFolder(tmp_path)
    first.begin(SETTINGS, resume=False)
    with pytest.raises(InputError, match="is in use: another process trains there"):
        RunFolder(tmp_path).begin(SETTINGS, resume=True)
    del first
    RunFolder(tmp_path).begin(SETTINGS, resume=True)


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path):
    for name in (".step-mynotes", "step-000002", "step-notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "step-00000001").write_text("a file")
    with RunFolder(tmp_path, save_every=1) as folder:
        trainer, _ = folder.begin(SETTINGS, resume=False)
        for _ in trainer.train():
            folder.save_if_due(trainer)
    assert {path.name for path in tmp_path.iterdir()} == {
        ".step-mynotes", "step-000002", "step-notes", "step-00000001",
        "step-00000064", "step-00000080", "step-00000096",
    }  # fmt: skip


def test_fewer_epochs_than_have_begun_are_refused(tmp_path):
    folder = RunFolder(tmp_path)
    path = folder.save(trained(SETTINGS, calls=3))
    with pytest.raises(InputError) as error:
        folder.begin(Settings(epochs=1), resume=True)
    assert str(error.value) == f"{path} is in epoch 2; --epochs must be as many or more, found 1."
    trainer, _ = folder.begin(Settings(epochs=2), resume=True)
    assert [call.epoch is None for call in trainer.train()] == [False]


@pytest.mark.parametrize("name", ["run[1]", "back\\slash", "not\udcffutf8"])
def test_a_name_that_tensorflow_cannot_read_or_write_is_refused_beforehand(tmp_path, name):
    with pytest.raises(InputError, match=r"which TensorFlow takes for a pattern|the name is no UTF-8"):
        RunFolder(tmp_path / name).begin(SETTINGS, resume=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sp ace", "a*b?", "{x}", "ünï", "%d"])
def test_other_odd_names_are_names(tmp_path, name):
    folder = RunFolder(tmp_path / name)
    folder.save(trained(SETTINGS, calls=1))
    assert folder.begin(Settings(), resume=True)[0].step == 16


def test_a_whole_checkpoint_of_something_else_is_not_called_damaged(tmp_path):
    (tmp_path / "step-00000001").mkdir()
    tf.train.Checkpoint(w=tf.Variable(1.0)).write(str(tmp_path / "step-00000001" / "state"))
    with pytest.raises(InputError, match="step-00000001 is no checkpoint of a run, or of another version of rawstep"):
        RunFolder(tmp_path).newest()
