"""What a checkpoint is understood to hold, and which are refused for holding something else."""

import re

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.choosing import choose_slots
from training.exchange.tf1.contents import read
from training.exchange.tf1.powers import power

from .files import ADADELTA, ADAGRAD, ADAM, session_saves, tensors, write

LAYERS = (6, 4, 3)


def test_several_optimizers_are_told_apart_by_name_and_use(tmp_path):
    """The second Adam has only been begun; none but the first has moved."""
    session_saves(tmp_path / "rnn2.ckpt", ADAM, ADAM, ADADELTA, ADAGRAD, ADADELTA, layers=LAYERS, steps=20)
    contents = read(tmp_path / "rnn2.ckpt")
    assert contents.layers == [6, 4, 3]
    told = "Adam (20 steps), Adam_2 (no step yet), Adagrad (unused), Adadelta (unused), Adadelta_2 (unused)"
    assert contents.described_sets() == told
    with pytest.raises(InputError, match=re.escape(f"--slots must name one set of slots; it has several: {told}.")):
        choose_slots(contents, None)
    with pytest.raises(InputError, match=re.escape(f"--slots must name one set of slots; there is no Adam_1: {told}.")):
        choose_slots(contents, "Adam_1")
    assert choose_slots(contents, "Adadelta_2").number == 1
    assert choose_slots(contents, None, "adagrad").name == "Adagrad"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Variable/Adagrad": np.ones((6, 4), np.float32)}, "Adam (3 steps), Adagrad (used)"),
        ({"beta1_power": power(0.9, 9)}, "Adam (unsound), Adagrad (unused)"),
        ({"Variable/Adam": None}, "Adam (not whole), Adagrad (unused)"),
        ({"beta1_power": np.float32(0), "beta2_power": np.float32(0)}, "Adam (87,293 steps or more), Adagrad (unused)"),
    ],
)
def test_what_each_set_shows_of_its_use(tmp_path, change, told):
    session_saves(tmp_path / "rnn2.ckpt", ADAM, ADAGRAD, layers=LAYERS)
    write(tmp_path / "rnn2.ckpt", changed(tensors(tmp_path / "rnn2.ckpt"), change))
    assert read(tmp_path / "rnn2.ckpt").described_sets() == told


def changed(found, change):
    """With tensors put in the place of others, or beside them, or left out where there is None."""
    return {name: tensor for name, tensor in {**found, **change}.items() if tensor is not None}


A_SET = "the slots Adam are not whole: {} is missing."
ALONE = "no single map of names fits: "
HOLDS = "The file has the variables Variable [6, 4], Variable_1 [4, 3], Variable_2 [4], Variable_3 [3], {}"
REFUSED = {
    "a variable too many": (
        {"Variable_4": np.zeros(3, np.float32)},
        f"{ALONE}a perceptron has as many matrices as vectors, and there are 2 and 3. "
        f"{HOLDS.format('Variable_4 [3], all float32; slots and averages Adam.')}",
    ),
    "a variable too few": (
        {"Variable_3": None}, "what is neither, Variable_3/Adam [3], Variable_3/Adam_1 [3], all float32. Name them",
    ),
    "another variable": ({"w": np.zeros(3, np.float32)}, HOLDS.format("w [3], all float32; slots and averages Adam.")),
    "two networks": (
        {f"Variable_{n}": np.zeros(s, np.float32) for n, s in enumerate([(6, 4), (4, 3), 4, 3], start=4)},
        f"{ALONE}the matrices' shapes do not chain into one network. The file has the variables Variable [6, 4], ",
    ),
    "biases first": ({"Variable_1": np.zeros(4, np.float32)}, f"{ALONE}a perceptron has as many matrices as vectors"),
    "a bias of another layer": (
        {"Variable_2": np.zeros(3, np.float32)}, f"{ALONE}each matrix of a perceptron needs a vector as long as its",
    ),
    "no units": (
        {"Variable": np.zeros((6, 0), np.float32), "Variable_1": np.zeros((0, 3), np.float32)}
        | {"Variable_2": np.zeros(0, np.float32)},
        f"{ALONE}the matrices' shapes do not chain",
    ),
    "two ways to chain": (
        {"Variable": np.zeros((4, 3), np.float32), "Variable_1": np.zeros((3, 4), np.float32)},
        f"{ALONE}they chain in several ways: 4-3-4, 3-4-3. The file has",
    ),
    "another optimizer": (
        {"Variable/Momentum": np.zeros((6, 4), np.float32)},
        "--slots must name one set of slots; it has several: Adam (3 steps), Momentum (not whole).",
    ),
    "slots of text": (
        {"Variable_3/Adam": np.asarray([b"a", b"b", b"c"])}, "Variable_3/Adam must be of floats, found string.",
    ),
    "a text": ({"Variable_3": np.asarray(b"text")}, "what is neither, Variable_3 [] string. Name them"),
    "a real global_step": ({"global_step": np.float32(3)}, "global_step must be int64, found float32."),
    "global_step of one element": ({"global_step": np.asarray([3])}, "global_step must be a scalar, found shape (1,)."),
    "no m of a bias": ({"Variable_3/Adam": None}, A_SET.format("Variable_3/Adam")),
    "no v of a weight": ({"Variable/Adam_1": None}, A_SET.format("Variable/Adam_1")),
    "no power": ({"beta2_power": None}, A_SET.format("beta2_power")),
    "a slot of another shape": (
        {"Variable_2/Adam": np.zeros(3, np.float32)}, "Variable_2/Adam must have shape (4,), found (3,).",
    ),
    "powers of many": ({"beta1_power": np.zeros(2, np.float32)}, "beta1_power must have shape (), found (2,)."),
    "no slots": (
        dict.fromkeys([f"Variable{n}/Adam{s}" for n in ("", "_1", "_2", "_3") for s in ("", "_1")])
        | {"beta1_power": None, "beta2_power": None},
        "must hold slots; found none (--rule starts one afresh).",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "rnn2.ckpt"
    session_saves(path, ADAM, layers=LAYERS)
    return tensors(path)


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED)
def test_a_checkpoint_of_something_else_is_refused_by_what_was_found(tmp_path, sound, change, words):
    """The sound file itself is accepted."""
    write(tmp_path / "sound.ckpt", sound)
    assert choose_slots(read(tmp_path / "sound.ckpt"), None).name == "Adam"
    write(tmp_path / "rnn2.ckpt", changed(sound, change))
    with pytest.raises(InputError) as error:
        choose_slots(read(tmp_path / "rnn2.ckpt"), None)
    assert str(error.value).startswith(f"{tmp_path / 'rnn2.ckpt'}")
    assert words in str(error.value)


def test_an_object_based_checkpoint_is_called_one(tmp_path):
    tf.train.Checkpoint(w=tf.Variable(1.0)).write(str(tmp_path / "rnn2.ckpt"))
    with pytest.raises(InputError, match=r"is an object-based checkpoint, as tf\.train\.Checkpoint writes; expected"):
        read(tmp_path / "rnn2.ckpt")
