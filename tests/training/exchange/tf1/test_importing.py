"""What becomes of a file: a run with its bits, at its step."""

import re

import numpy as np
import pytest

from core import InputError
from training.exchange.tf1.choosing import choose_slots, step_of_slots
from training.exchange.tf1.contents import read
from training.exchange.tf1.importing import import_run
from training.exchange.tf1.powers import power
from training.runs.resuming import restore
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings

from ...runs.test_run_folder import files_no_larger_than
from .files import ADADELTA, ADAGRAD, ADAM, SaverDef, session_saves, tensors, write, write_images

RULES = {"adam": ADAM, "adagrad": ADAGRAD, "adadelta": ADADELTA}
SLOTS = {
    "adam": {"m": "Adam", "v": "Adam_1"},
    "adagrad": {"a": "Adagrad"},
    "adadelta": {"mean_g2": "Adadelta", "mean_dx2": "Adadelta_1"},
}
UNNAMED = ["Variable", *(f"Variable_{number}" for number in range(1, 6))]
NAMED = ["h1", "h2", "ho", "b1", "b2", "bo"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images") / "images")


def imported(path, folder, images):
    contents = read(path)
    of = choose_slots(contents, None)
    step, _ = step_of_slots(contents, of, None)
    settings = Settings(rule=of.kind.rule, learning_rate=0.001, workload_options={"data_dir": (str(images),)})
    import_run(contents, of, step, settings, folder)
    return RunFolder(folder).newest()


@pytest.mark.parametrize(
    ("rule", "named", "version"),
    [*((rule, named, SaverDef.V2) for rule in RULES for named in (False, True)), ("adam", False, SaverDef.V1)],
)
def test_weights_and_slots_are_taken_over_to_the_bit(tmp_path, images, rule, named, version):
    """Would catch b1 and b2, of one shape, exchanged, a slot of another kind, and any rounding."""
    path = tmp_path / "rnn2.ckpt"
    session_saves(path, RULES[rule], layers=(16, 8, 8, 3), named=named, version=version)
    theirs, run = tensors(path), imported(path, tmp_path / "run", images)
    ours = dict(run.tensors)
    assert ours.pop("optimizer/step") == (3 if rule == "adam" else 0)
    assert ours.pop("optimizer/dropped") == 0
    for name, file_name in zip(NAMED, NAMED if named else UNNAMED, strict=True):
        assert ours.pop(f"weights/{name}").tobytes() == theirs[file_name].tobytes()
        for slot, ending in SLOTS[rule].items():
            taken = ours.pop(f"optimizer/slots/{name}/{slot}")
            assert taken.tobytes() == theirs[f"{file_name}/{ending}"].tobytes()
            assert taken.any()
    assert not ours
    assert (run.settings.rule, run.settings.dialect, run.settings.make_workload().hidden) == (rule, "tf1", (8, 8))
    assert (run.run["epochs"], run.run["costs"]) == ([], [])


@pytest.mark.parametrize("layers", [(16, 3), (16, 7, 3), (16, 6, 5, 4, 3)], ids=str)
def test_networks_of_any_depth_are_taken_over(tmp_path, images, layers):
    session_saves(tmp_path / "rnn2.ckpt", ADAM, layers=layers)
    assert imported(tmp_path / "rnn2.ckpt", tmp_path / "run", images).settings.make_workload().hidden == layers[1:-1]


def test_an_imported_run_is_resumed_like_any(tmp_path, images):
    """Its history begins here; a call of the training program goes on from the step of the file."""
    session_saves(tmp_path / "rnn2.ckpt", ADAM)
    checkpoint = imported(tmp_path / "rnn2.ckpt", tmp_path / "run", images)
    trainer, _ = RunFolder(tmp_path / "run").begin(Settings(epochs=1), resume=True)
    restore(checkpoint, trainer)
    assert (trainer.step, trainer.history, trainer.finished) == (3, [], False)


def file_at(path, step, rule=ADAM, global_step=None):
    """A file of this many steps by its powers."""
    session_saves(path, rule, steps=1)
    altered = tensors(path)
    if rule is ADAM:
        altered |= {"beta1_power": power(0.9, step), "beta2_power": power(0.999, step)}
    if global_step is not None:
        altered["global_step"] = np.asarray(global_step)
    write(path, altered)
    return read(path)


@pytest.mark.parametrize(
    ("step", "global_step", "given", "found"),
    [
        (16_500, None, None, 16_500),
        (16_500, 16_500, None, 16_500),
        (16_500, np.int32(16_500), None, 16_500),
        (16_500, 27_500, 16_500, 16_500),
        (90_000, None, 90_000, 90_000),
        (90_000, 90_000, None, 90_000),
    ],
)
def test_adam_s_step_is_its_powers_and_what_is_counted_agrees(tmp_path, step, global_step, given, found):
    """The fourth: a global_step that several optimizers share counts more than one; a person can say so."""
    contents = file_at(tmp_path / "rnn2.ckpt", step, global_step=global_step)
    assert step_of_slots(contents, choose_slots(contents, None), given) == (found, [])


@pytest.mark.parametrize(
    ("step", "global_step", "given", "words"),
    [
        (16_500, None, 16_501, "beta1_power and beta2_power are of step 16,500, but --step is 16,501."),
        (16_500, 27_500, None, "are of step 16,500, but global_step is 27,500 (--step overrules it)."),
        (16_500, -1, None, "global_step must be 0 or more, found -1."),
        (90_000, None, None, "beta1_power and beta2_power are 0, as after 87,293 steps and ever after: give --step N."),
        (90_000, None, 16_500, "are 0, as from step 87,293 on, but --step is 16,500."),
        (90_000, 16_500, None, "are 0, as from step 87,293 on, but global_step is 16,500 (--step overrules it)."),
    ],
)  # fmt: skip
def test_a_step_that_nothing_tells_or_two_tell_otherwise_is_refused(tmp_path, step, global_step, given, words):
    contents = file_at(tmp_path / "rnn2.ckpt", step, global_step=global_step)
    with pytest.raises(InputError, match=re.escape(words)):
        step_of_slots(contents, choose_slots(contents, None), given)


@pytest.mark.parametrize(("global_step", "given", "found"), [(None, None, 0), (7, None, 7), (None, 9, 9), (7, 9, 9)])
def test_adagrad_and_adadelta_count_no_steps_and_a_person_is_told(tmp_path, global_step, given, found):
    contents = file_at(tmp_path / "rnn2.ckpt", 0, rule=ADADELTA, global_step=global_step)
    step, notes = step_of_slots(contents, choose_slots(contents, None), given)
    assert (step, len(notes)) == (found, global_step is None and given is None)


def test_a_run_that_cannot_be_saved_leaves_no_folder(tmp_path, images):
    session_saves(tmp_path / "rnn2.ckpt", ADAM)
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    for folder in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / "run[1]"):
        with pytest.raises(InputError):
            imported(tmp_path / "rnn2.ckpt", folder, images)
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_leaves_no_folder_either(tmp_path, images):
    session_saves(tmp_path / "rnn2.ckpt", ADAM)
    with files_no_larger_than(1000), pytest.raises(InputError, match="step-00000003 cannot be written: "):
        imported(tmp_path / "rnn2.ckpt", tmp_path / "run", images)
    assert not (tmp_path / "run").exists()
