"""No damage brings a reader to anything but what it reads or a sentence: a few files of every format."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .campaign import findings
from .formats import FORMATS
from .judge import Damaged
from .writers import saved

TRIED = {"TFRecord": 3, "examples": 3}
"""Files of a format; those that TensorFlow reads by tf.data take a tenth of a second each."""

NOT_OPENED = {"map", "outcome", "TF_CONFIG", "shards.json", "JSON in run", "Saver data", "Saver graph"}
"""A map may come by a pipe, as of <(…); an outcome is of a folder that rawstep made; others count if they are files."""


@pytest.fixture(scope="module", params=FORMATS)
def damaged(request, tmp_path_factory):
    return Damaged(request.param, tmp_path_factory.mktemp("file"))


@pytest.fixture(scope="module")
def seeds(damaged):
    return damaged.format.seeds()


def test_what_the_real_writers_wrote_is_read(damaged, seeds):
    """Would catch a harness whose every file is refused at its first byte, which then tries nothing."""
    assert [damaged.judge(seed) for seed in seeds] == [None] * len(seeds)


def test_what_a_reader_once_failed_on_is_read_or_refused(damaged):
    """Would catch the return of what fuzzing has found."""
    for content in findings(damaged.name):
        damaged.judge(content)


def test_no_damage_brings_a_reader_to_anything_but_a_sentence(damaged, seeds):
    @settings(max_examples=TRIED.get(damaged.name, 25), derandomize=True, database=None, deadline=None)
    @given(seed=st.sampled_from(seeds), number=st.integers(0, 2**64))
    @example(seed=b"", number=0)
    def tries(seed, number):
        damaged.judge(changed(seed, random.Random(number)))

    tries()


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in NOT_OPENED])
def test_a_pipe_under_a_file_s_name_is_refused(name, tmp_path):
    """Would catch a reader that opens it, and waits for a writer without end."""
    damaged = Damaged(name, tmp_path)
    os.mkfifo(damaged.path)
    assert damaged.judge_file(0) is not None


def test_postscript_under_an_image_s_name_is_no_image(tmp_path):
    """Would catch Pillow's own choice of formats: for this one it starts Ghostscript, which runs what it reads."""
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n"
    assert "is no image" in (Damaged("image", tmp_path).judge(content) or "")


def test_arrays_of_python_s_objects_are_never_unpickled(tmp_path):
    """Would catch allow_pickle: the object would make a file as it is read."""
    made = tmp_path / "made"
    for name, content in {
        "npy": saved(np.save, np.array([Maker(made)], object), allow_pickle=True),
        "npz": saved(np.savez, x_train=np.array([Maker(made)], object)),
        "trace": saved(np.savez, steps=np.array([Maker(made)], object)),
        "streams": saved(np.savez, gradients=np.array([Maker(made)], object)),
    }.items():
        assert Damaged(name, tmp_path / name).judge(content) is not None
    assert not made.exists()


class Maker:
    """An object whose unpickling makes a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


def changed(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled or put in: in most files the first ones, where the header is."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(min(len(content), chance.choice([8, 64, 10**6])) + 1)
        length = chance.choice([1, 1, 4, 50])
        new = chance.choice([chance.randbytes(length), b"", bytes(length), b"\xff" * length, content[place:] * 2])
        content = content[:place] + new + content[place + length * chance.randint(0, 1) :]
    return content
