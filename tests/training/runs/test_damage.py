"""Checkpoints that were damaged on the disk: what is recognised, and how a run goes on without them."""

import json
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import InputError
from training.output.tensor_files import FOOTER, DamagedError, write_tensors
from training.runs.checkpoint import FILES, SUMS, read, state_of, write
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer

from .. import striped
from ..striped import striped_data, trained

pytestmark = pytest.mark.usefixtures("striped_images_loaded")

SETTINGS = replace(striped.SETTINGS, execution="graph")
"""What is saved does not depend on the execution, and this one needs no compiler."""
OF_0_2 = Path(__file__).parents[1] / "run_of_0_2" / "step-00000048"
INDEX, DATA = FILES


def flip(path, bit):
    content = bytearray(path.read_bytes())
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    path.write_bytes(content)


def cut(path, at):
    content = path.read_bytes()
    path.write_bytes(content[: at % len(content)])


def as_it_is(checkpoint):
    tensors = {name: (tensor.dtype, tensor.shape, tensor.tobytes()) for name, tensor in checkpoint.tensors.items()}
    return tensors, checkpoint.run


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint of today's, the state in it, and a checkpoint as rawstep 0.2 wrote it, without digests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "data", lambda self: striped_data())
        trainer = trained(SETTINGS, calls=3)
        whole = RunFolder(tmp_path_factory.mktemp("run")).save(trainer)
        return {"now": whole, "0.2": OF_0_2, "state": state_of(trainer)}


def damaged(whole, damage, file):
    """What is read of a damaged copy; None where the damage is recognised."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(whole, Path(folder) / "step-00000048")
        damage(copy / file)
        try:
            return as_it_is(read(copy))
        except DamagedError as error:
            said = str(error)
    assert "\n" not in said
    return None


DAMAGES = st.one_of(
    st.builds(lambda bit: partial(flip, bit=bit), st.integers(0, 8 * 10_000)),
    st.builds(lambda at: partial(cut, at=at), st.integers(0, 10_000)),
    st.just(Path.unlink),
)


@given(which=st.sampled_from([("now", SUMS), *((of, file) for of in ("now", "0.2") for file in FILES)]), damage=DAMAGES)
@settings(max_examples=max(300, settings().max_examples))
def test_damage_is_recognised_or_without_meaning(saved, which, damage):
    """A flipped bit anywhere, an end cut off, a file deleted. In a checkpoint without digests a bit may be flipped that
    nobody reads. Would catch a file that is not looked at, and a process that ends with the damage."""
    found = damaged(saved[which[0]], damage, which[1])
    assert found is None or found == as_it_is(read(saved[which[0]]))
    if which[0] == "now" and which[1] != SUMS:
        assert found is None


def test_each_bit_that_says_where_an_index_has_its_blocks_is_looked_at():
    """TensorFlow has no checksum of them."""
    place = 8 * ((OF_0_2 / INDEX).stat().st_size - FOOTER)
    found = [damaged(OF_0_2, partial(flip, bit=place + bit), INDEX) for bit in range(8 * FOOTER)]
    whole = as_it_is(read(OF_0_2))
    assert [one for one in found if one not in (None, whole)] == []
    assert found.count(None) >= 90, "the rest is padding"


@pytest.mark.parametrize("size", [2**20, 2**33, 2**62, 2**64 - 1])
def test_a_block_larger_than_its_index_is_never_allocated(size):
    """Would catch a MemoryError, which TensorFlow raises for 2⁶² bytes; of 2³³ it takes as many."""

    def ask(index):
        digits = [size >> place & 127 | (128 if size >> place + 7 else 0) for place in range(0, size.bit_length(), 7)]
        content = index.read_bytes()
        footer = bytes([0, 0, 0, *digits]).ljust(FOOTER - 8, bytes(1)) + content[-8:]
        index.write_bytes(content[:-FOOTER] + footer)

    assert damaged(OF_0_2, ask, INDEX) is None


def test_a_tensor_larger_than_its_file_is_never_allocated(tmp_path):
    """Would catch the terabytes that a shape asks for. Sound files, of which one was exchanged for a shorter one."""
    for name, size in (("long", 100_000), ("short", 1)):
        write_tensors(tmp_path / name, {"w": np.ones(size, np.float32)})
    (tmp_path / f"short{DATA.removeprefix('state')}").rename(tmp_path / f"long{DATA.removeprefix('state')}")
    for suffix in (INDEX, DATA):
        ending = suffix.removeprefix("state")
        (tmp_path / f"long{ending}").rename(tmp_path / f"state{ending}")
    with pytest.raises(DamagedError, match=r"w of shape \[100000\] does not fit into 4 bytes of data"):
        read(tmp_path)


def resumed(folder):
    """What a process of its own does: resumes, trains to the end, saves when it is due."""
    with RunFolder(folder, save_every=1) as run:
        trainer, said = run.begin(SETTINGS, resume=True)
        for _ in trainer.train():
            run.save_if_due(trainer)
    return said, as_it_is(run.newest())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run that was interrupted after step 80 of 96, with checkpoints of 48, 64 and 80."""
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    trainer = Trainer(SETTINGS, striped_data())
    with RunFolder(folder, save_every=1) as run:
        for _, call in zip(range(5), trainer.train(), strict=False):
            assert call.steps == 16
            run.save_if_due(trainer)
    return folder


def half_deleted(path):
    for file in (SUMS, INDEX):
        (path / file).unlink()


HARM = {
    "a bit of the data": (lambda path: flip(path / DATA, 3_000), f"{DATA} is not what {SUMS} says"),
    "a bit of the index": (lambda path: flip(path / INDEX, 9), f"{INDEX} is not what {SUMS} says"),
    "a bit of a digest": (lambda path: flip(path / SUMS, 9), "is not what SHA256SUMS says"),
    "cut off": (lambda path: cut(path / DATA, 99), f"{DATA} is not what {SUMS} says"),
    "no data": (lambda path: (path / DATA).unlink(), f"{DATA} is missing"),
    "no digests": (lambda path: (path / SUMS).unlink(), f"{SUMS} is missing"),
    "half deleted": (half_deleted, f"{INDEX} is missing"),
    "emptied": (lambda path: [file.unlink() for file in path.iterdir()], f"{INDEX} is missing"),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_run_goes_on_from_the_newest_whole_checkpoint_to_the_same_bits(tmp_path, run, harm):
    """Would catch a run that stops at the damage, that goes on in silence, and one that takes the damaged checkpoint
    for that of the step when it comes there again."""
    damage, why = HARM[harm]
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    newest, content = folder / "step-00000080", {}
    damage(newest)
    content = {file.name: file.read_bytes() for file in newest.iterdir()}
    said, last = resumed(folder)
    assert said[0].startswith(f"{newest} is damaged (")
    assert why in said[0]
    assert said[0].endswith(f"), kept as step-00000080.damaged: going on from {folder / 'step-00000064'}")
    assert said[1].startswith(f"resuming {folder / 'step-00000064'} (")
    assert last == as_it_is(read(RunFolder(tmp_path / "whole").save(trained(SETTINGS))))
    assert sorted(path.name for path in folder.iterdir()) == [
        "step-00000064", "step-00000080", "step-00000080.damaged", "step-00000096",
    ]  # fmt: skip
    assert {file.name: file.read_bytes() for file in (folder / "step-00000080.damaged").iterdir()} == content
    read(newest)


def test_each_damaged_checkpoint_is_named_and_none_is_destroyed(tmp_path, run):
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    (folder / "step-00000080.damaged").mkdir()
    for name in ("step-00000080", "step-00000064"):
        (folder / name / DATA).unlink()
    said, _ = resumed(folder)
    assert [note.partition(" is ")[0] for note in said[:2]] == [f"{folder}/step-000000{step}" for step in (80, 64)]
    assert [note.partition(", ")[2] for note in said[:2]] == [
        f"kept as step-000000{name}: going on from {folder / 'step-00000048'}"
        for name in ("80.damaged-2", "64.damaged")
    ]


def test_without_a_whole_checkpoint_nothing_is_begun_or_renamed(tmp_path, run):
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    for file in folder.glob(f"*/{INDEX}"):
        cut(file, 50)
    before = sorted(folder.rglob("*"))
    with pytest.raises(InputError) as error:
        resumed(folder)
    each = ", ".join(f"step-000000{step} is damaged ({INDEX} is not what {SUMS} says)" for step in (80, 64, 48))
    assert str(error.value) == f"{folder} holds no whole checkpoint: {each}."
    assert sorted(folder.rglob("*")) == before


def test_what_only_reads_refuses_a_damaged_newest_one_and_names_the_newest_whole(tmp_path, run):
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    for name in ("step-00000080", "step-00000064"):
        (folder / name / DATA).unlink()
    before = sorted(folder.rglob("*"))
    for use in (RunFolder(folder).newest, partial(RunFolder(folder).chosen, best=False)):
        with pytest.raises(InputError) as error:
            use()
        assert str(error.value) == (
            f"{folder / 'step-00000080'} is damaged ({DATA} is missing). The newest whole one is "
            f"{folder / 'step-00000048'}: `rawstep train --resume` goes on from there; to use it as it is, remove what "
            "is newer."
        )
    assert sorted(folder.rglob("*")) == before
    for name in ("step-00000080", "step-00000064"):
        shutil.rmtree(folder / name)
    assert RunFolder(folder).newest().step == 48, "as the sentence says"


def places(value, path=()):
    """Every place in what JSON can hold, however deep."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def changed(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def without(value, path):
    """The same without what stands there."""
    *outer, last = path
    there = value
    for key in outer:
        there = there[key]
    copy = there.copy()
    del copy[last]
    return changed(value, outer, copy)


@given(data=st.data())
@settings(max_examples=max(200, settings().max_examples))
def test_a_text_of_a_run_that_nobody_wrote_ends_in_a_sentence_or_is_taken(saved, data):
    """Sound files, made by hand, of which one value is another or missing. Would catch a KeyError, and a run that is
    half restored."""
    state = saved["state"]
    run = json.loads(state.run)
    path = data.draw(st.sampled_from([*places(run)]))
    new = data.draw(st.sampled_from([None, True, -1, 1e300, 2**70, "", "x", [], [1], {}, {"x": 1}, "missing"]))
    run = without(run, path) if new == "missing" and path else changed(run, path, new)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "step-00000048"
        place.mkdir()
        write(state._replace(run=json.dumps(run)), place)
        try:
            RunFolder(Path(folder)).begin(Settings(), resume=True)
        except InputError as error:
            said = str(error)
        else:
            said = "it is taken"
    assert "\n" not in said
