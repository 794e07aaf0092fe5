"""Saver's files: both formats read, damage seen, one format written whole or not at all."""

import os
import random
import shutil

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.saver_file import Reader, check_new, write

from ...runs.test_run_folder import files_no_larger_than
from .files import ADAM, SaverDef, session_saves, tensors

FORMATS = {"V2": SaverDef.V2, "V1": SaverDef.V1}
SMALL = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.asarray(7, np.int64)}


def same(one, other):
    return one.keys() == other.keys() and all(
        (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()) for a, b in ((one[n], other[n]) for n in one)
    )


@pytest.mark.parametrize("version", FORMATS.values(), ids=FORMATS)
def test_both_of_saver_s_formats_are_read_to_the_bit(tmp_path, version):
    path = tmp_path / "rnn2.ckpt"
    session_saves(path, ADAM, layers=(4, 3, 2), version=version)
    assert path.exists() == (version == SaverDef.V1), "one file or two"
    found = Reader(path).tensors()
    assert len(found) == 4 * 3 + 2
    assert same(found, tensors(path))


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001", ".meta"])
def test_a_checkpoint_is_found_by_each_of_its_files(tmp_path, ending):
    write(tmp_path / "rnn2.ckpt", SMALL)
    assert Reader(tmp_path / f"rnn2.ckpt{ending}").path == tmp_path / "rnn2.ckpt"


def test_a_checkpoint_whose_own_name_ends_like_a_file_s_is_itself(tmp_path):
    write(tmp_path / "rnn2.index", SMALL)
    assert same(Reader(tmp_path / "rnn2.index").tensors(), SMALL)


@pytest.mark.parametrize("file", ["rnn2.ckpt.index", "rnn2.ckpt.data-00000-of-00001", "old.ckpt"])
def test_no_damage_goes_unseen(tmp_path, file):
    """One bit flipped, or the end cut off: either it is refused, or all is read as it was."""
    for name, version in (("rnn2.ckpt", SaverDef.V2), ("old.ckpt", SaverDef.V1)):
        session_saves(tmp_path / name, ADAM, layers=(4, 3, 2), version=version)
    path, content = tmp_path / file.partition(".")[0], (tmp_path / file).read_bytes()
    path = path.with_suffix(".ckpt")
    whole, refused = Reader(path).tensors(), []
    for trial in range(80):
        chance = random.Random(trial)
        place = chance.randrange(len(content))
        flipped = content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]
        (tmp_path / file).write_bytes(flipped if trial % 4 else content[:place])
        try:
            found = Reader(path).tensors()
        except InputError as error:
            refused.append(str(error))
        else:
            assert same(found, whole)
    assert len(refused) > 60
    for sentence in refused:
        assert sentence.startswith(f"{path} must be a checkpoint that tf.train.Saver wrote; it is damaged or ")
        assert "\n" not in sentence


@pytest.mark.parametrize(
    "name", ["rnn[2].ckpt", "rnn*.ckpt", "rnn?.ckpt", "back\\slash.ckpt", "not\udcffutf8.ckpt", ".."]
)
def test_a_name_that_tensorflow_takes_for_another_is_refused(tmp_path, name):
    for use in (Reader, check_new):
        with pytest.raises(InputError, match=r"takes for a pattern|no name that TensorFlow takes|found a folder"):
            use(tmp_path / name)


@pytest.mark.parametrize("name", ["rnn2.ckpt", "sp ace", "ünï{x}", "n" * 230])
def test_what_is_written_is_read_by_tensorflow_and_nothing_else_is_left(tmp_path, name):
    check_new(tmp_path / name)
    write(tmp_path / name, SMALL)
    assert same(tensors(tmp_path / name), SMALL)
    assert sorted(os.listdir(tmp_path)) == [f"{name}.data-00000-of-00001", f"{name}.index"]


@pytest.mark.parametrize("taken", ["rnn2.ckpt", "rnn2.ckpt.index", "rnn2.ckpt.data-00000-of-00001"])
def test_nothing_is_overwritten(tmp_path, taken):
    """A dangling link included."""
    (tmp_path / taken).symlink_to(tmp_path / "absent")
    with pytest.raises(InputError, match=f"{taken} is there already, and nothing is overwritten"):
        check_new(tmp_path / "rnn2.ckpt")


def checked_and_written(path):
    check_new(path)
    write(path, SMALL)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent/rnn2.ckpt", "No such file or directory"),
        ("n" * 240, "File name too long"),
        ("file/rnn2.ckpt", "Not a directory"),
    ],
)
def test_where_nothing_can_be_written_is_said_and_nothing_is_left(tmp_path, name, reason):
    """A folder that is missing is not made: TensorFlow would make one."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"cannot be written: .*{reason}"):
        checked_and_written(tmp_path / name)
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing(tmp_path):
    with files_no_larger_than(1000), pytest.raises(InputError, match=r"rnn2.ckpt cannot be written: [^;{]+\.$"):
        write(tmp_path / "rnn2.ckpt", {"w": np.ones(10_000, np.float32)})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("halves", ["index", "data-00000-of-00001"])
def test_half_of_a_checkpoint_is_none(tmp_path, halves):
    write(tmp_path / "rnn2.ckpt", SMALL)
    shutil.copy(tmp_path / f"rnn2.ckpt.{halves}", tmp_path / f"half.ckpt.{halves}")
    with pytest.raises(InputError, match=r"half.ckpt must be a checkpoint that tf.train.Saver wrote"):
        Reader(tmp_path / "half.ckpt").tensors()


def test_a_session_restores_what_is_written(tmp_path):
    """Renamed after it was written, which would show if the files named each other."""
    write(tmp_path / "rnn2.ckpt", SMALL)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        w, step = v1.Variable(np.zeros((2, 3), np.float32), name="w"), v1.Variable(np.int64(0), name="step")
        v1.train.Saver().restore(session, str(tmp_path / "rnn2.ckpt"))
        np.testing.assert_array_equal(session.run(w), SMALL["w"])
        assert session.run(step) == 7
