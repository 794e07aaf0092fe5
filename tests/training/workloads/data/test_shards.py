"""Shards of each format: what `rawstep shard` makes of real data, what --stream reads of it, and what both refuse."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits

from core import InputError, Optimizer, Program
from core.engine.feeds import Pieces, Streamed
from training.commands.cli import main
from training.runs.settings import Settings
from training.runs.trainer import Trainer
from training.workloads.data import load_shards, records, shards
from training.workloads.data.records import example
from training.workloads.data.table_shards import load_tables
from training.workloads.mlp import MLP
from training.workloads.regression import Regression
from training.workloads.workload import fingerprint

DIGITS = load_digits()
IMAGES, LABELS = DIGITS.images.astype(np.uint8), DIGITS.target
TRAINED = 1_497
"""Of the 1,797 digits; the other 300 are for the test."""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Digits in a .npz file, those to be trained on sorted by class; and in shards of each format."""
    folder = tmp_path_factory.mktemp("digits")
    order = np.argsort(LABELS[:TRAINED], kind="stable")
    np.savez(
        folder / "digits.npz",
        x_train=IMAGES[:TRAINED][order],
        y_train=LABELS[:TRAINED][order],
        x_test=IMAGES[TRAINED:],
        y_test=LABELS[TRAINED:],
    )
    for form in ("npz", "idx", "tfrecord"):
        shard(folder / "digits.npz", "--out", folder / form, "--format", form)
    return folder


def shard(*arguments, size="0.01"):
    with pytest.raises(SystemExit) as end:
        main(["shard", *map(str, arguments), "--size", size])
    assert end.value.code == 0, "see what it said"


def refused(capsys, *arguments):
    """What a command says that ends in one sentence."""
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments)])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.count("\n") == 1, said
    assert "Traceback" not in said
    return said


def everything(found):
    """All images and labels of shards that are to be trained on, in their order."""
    pieces = [found.stream.read(piece) for piece in range(len(found.stream.sizes))]
    return tuple(np.concatenate(arrays) for arrays in zip(*pieces, strict=True))


def as_rows(images, labels):
    return sorted(map(bytes, np.column_stack([images.reshape(len(images), -1), labels]).astype(np.uint8)))


@pytest.mark.parametrize("form", ["npz", "idx", "tfrecord"])
def test_each_example_is_in_one_shard_once(digits, form):
    found = load_shards(digits / form)
    every = [everything(found), found.validation, found.test]
    assert [len(labels) for _, labels in every] == [TRAINED - TRAINED // 12, TRAINED // 12, 300]
    trained = [np.concatenate(arrays) for arrays in zip(*every[:2], strict=True)]
    assert as_rows(*trained) == as_rows(IMAGES[:TRAINED], LABELS[:TRAINED])
    assert as_rows(*every[2]) == as_rows(IMAGES[TRAINED:], LABELS[TRAINED:])
    assert found.classes == 10


def test_all_formats_hold_the_same_in_the_same_order(digits):
    first, *others = (load_shards(digits / form) for form in ("npz", "idx", "tfrecord"))
    for other in others:
        assert first.stream.sizes == other.stream.sizes
        for one, of in zip((*everything(first), *first.test), (*everything(other), *other.test), strict=True):
            np.testing.assert_array_equal(one, of)


def test_data_sorted_by_class_end_mixed(digits):
    """A shard's 150 examples have all ten classes, and its first half as many of the low ones as its second."""
    found = load_shards(digits / "npz")
    for piece in range(len(found.stream.sizes)):
        _, labels = found.stream.read(piece)
        assert len(np.unique(labels)) == 10
        assert abs(np.corrcoef(np.arange(len(labels)), labels)[0, 1]) < 0.3


def test_the_seed_decides_where_an_example_comes(digits, tmp_path):
    contents = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        shard(digits / "digits.npz", "--out", tmp_path / name, "--seed", seed)
        contents[name] = [np.load(path)["x"].tobytes() for path in sorted((tmp_path / name).glob("train*"))]
    assert contents["a"] == contents["b"] != contents["c"]


def test_shards_are_cut_anew_into_smaller_ones(digits, tmp_path):
    shard(digits / "tfrecord", "--out", tmp_path / "smaller", size="0.002")
    before, after = load_shards(digits / "tfrecord"), load_shards(tmp_path / "smaller")
    assert max(after.stream.sizes) <= 2_000 // 64 < max(before.stream.sizes)
    assert as_rows(*everything(after)) == as_rows(*everything(before))
    assert as_rows(*after.validation) == as_rows(*before.validation)


def pictures(folder, mode="L", suffix="png"):
    """Folders by class of the first digits."""
    for number, (image, label) in enumerate(zip(IMAGES[:300], LABELS, strict=False)):
        path = folder / ("test" if number % 5 == 0 else "train") / f"class {label}" / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image * 15).convert(mode).save(path)
    return folder


@pytest.mark.parametrize(("mode", "side"), [("L", (8, 8)), ("RGB", (8, 8, 3)), ("P", (8, 8, 3)), ("1", (8, 8))])
def test_a_folder_of_images_by_class_becomes_shards(tmp_path, mode, side):
    shard(pictures(tmp_path / "pictures", mode), "--out", tmp_path / "shards", "--validation", 40)
    found = load_shards(tmp_path / "shards")
    images, labels = (np.concatenate(one) for one in zip(everything(found), found.validation, found.test, strict=True))
    assert (found.side, len(found.validation.labels), len(found.test.labels)) == (side, 40, 60)
    expected = [Image.fromarray(image * 15).convert(mode) for image in IMAGES[:300]]
    grey = len(side) == 2
    pixels = np.stack([np.asarray(image.convert("L" if grey else "RGB")) for image in expected])
    assert as_rows(images, labels) == as_rows(pixels, LABELS[:300])
    classes = json.loads((tmp_path / "shards" / "shards.json").read_text())["classes"]
    assert classes == [f"class {label}" for label in range(10)]


def test_images_of_sixteen_bits_keep_their_upper_eight_and_others_are_scaled(tmp_path):
    folder = tmp_path / "pictures" / "a"
    folder.mkdir(parents=True)
    for number in range(12):
        Image.fromarray(np.full((4, 6), 256 * 10 * number + 7, np.uint16)).save(folder / f"{number}.png")
    shard(tmp_path / "pictures", "--out", tmp_path / "shards", "--resize", 2, 3)
    found = load_shards(tmp_path / "shards", validation=None)
    assert found.side == (2, 3)
    images = np.concatenate([everything(found)[0], found.validation.images, found.test.images])
    assert sorted(images[:, 0].tolist()) == [10 * number for number in range(12)]


def test_tables_become_shards_that_are_standardised_by_the_rows_that_are_trained_on(tmp_path):
    rows, target = load_diabetes(return_X_y=True, scaled=False)
    names = [*map(str, range(10)), "progression"]
    for number, part in enumerate(np.array_split(np.column_stack([rows, target]), 3)):
        np.savetxt(tmp_path / f"{number}.csv", part, "%.17g", ",", header=",".join(names), comments="")
    for form in ("npz", "tfrecord"):
        tables = [tmp_path / f"{number}.csv" for number in range(3)]
        shard(*tables, "--target", "progression", "--out", tmp_path / form, "--format", form, size="0.005")
        found = load_tables(tmp_path / form, None, None, 0)
        trained = np.column_stack(everything(found))
        np.testing.assert_allclose(trained.mean(axis=0), 0, atol=1e-6)  # float32 rounds each to 6e-8
        np.testing.assert_allclose(trained.std(axis=0), 1, atol=1e-6)
        every = np.concatenate([trained, *(np.column_stack(split) for split in (found.validation, found.test))])
        assert [len(found.validation[0]), len(found.test[0]), len(every)] == [36, 36, 442]
        # Back in the table's own numbers, by two columns that no two patients share
        back = [
            np.polyfit(np.sort(every[:, one]), np.sort(np.column_stack([rows, target])[:, one]), 1) for one in (4, 10)
        ]
        for one, (slope, constant) in zip((4, 10), back, strict=True):
            np.testing.assert_allclose(
                np.sort(every[:, one] * slope + constant), np.sort(np.column_stack([rows, target])[:, one]), rtol=1e-5
            )
    assert Regression(stream=tmp_path / "npz").data(0).kind == "float32 [10], float32 []"


def encoded(folder):
    """TFRecords of PNGs, as another program may have written them."""
    folder.mkdir()
    for number, part in enumerate(np.array_split(np.arange(400), 4)):
        with tf.io.TFRecordWriter(str(folder / f"train.tfrecord-{number:05d}-of-00004")) as writer:
            for one in part:
                content = tf.io.encode_png(IMAGES[one][:, :, None]).numpy()
                image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
                label = tf.train.Feature(int64_list=tf.train.Int64List(value=[LABELS[one]]))
                features = tf.train.Features(feature={"image": image, "label": label})
                writer.write(tf.train.Example(features=features).SerializeToString())
    return folder


def test_a_file_of_records_is_read_once_for_all_its_features(digits, monkeypatch):
    """Would catch a pass for images and one for labels, which double a stream's work."""
    stream = load_shards(digits / "tfrecord").stream
    opened, of = [], records._batches
    monkeypatch.setattr(records, "_batches", lambda path, *count: opened.append(path) or of(path, *count))
    stream.read(0)
    assert opened == [*stream.shards[0].files]


def test_records_of_another_program_are_read_and_validation_shards_are_held_out(tmp_path):
    found = load_shards(encoded(tmp_path / "records"))
    assert found.split == "100 in 1 of 4 shards, drawn from seed 0"
    assert found.said[1] == "there are no test shards: the test is on the validation images"
    images, labels = (np.concatenate(one) for one in zip(everything(found), found.validation, strict=True))
    assert as_rows(images, labels) == as_rows(IMAGES[:400], LABELS[:400])


def test_floats_in_shards_are_pixels_as_they_are_said_to_be(tmp_path):
    folder = tmp_path / "floats"
    folder.mkdir()
    for number, part in enumerate(np.array_split(np.arange(400), 4)):
        with tf.io.TFRecordWriter(str(folder / f"train-{number}.tfrecord")) as writer:
            for one in part:
                writer.write(example((IMAGES[one] / 16).astype(np.float32), int(LABELS[one])))
    data = MLP(stream=folder, pixels="unit").data(0)
    assert data.kind == "float32 [64], uint8 [] (--pixels unit)"
    with pytest.raises(InputError, match="give --pixels bytes"):
        MLP(stream=folder).data(0)


def test_a_streamed_run_has_the_bits_of_the_same_order_through_resident_data(digits):
    """Of a run of 3 epochs by the command's own trainer; the order by a stream of the examples' numbers alone."""
    settings = Settings(
        batch_size=32, epochs=3, execution="graph",
        workload_options={"stream": str(digits / "npz"), "window": 400, "hidden": [16], "init": "he"},
    )  # fmt: skip
    data = settings.data()
    trainer = Trainer(settings, data)
    for _ in trainer.train():
        pass
    stream = data.stream
    sizes, workload = np.array(stream.sizes), settings.make_workload()
    assert len(sizes) > 4

    class Numbers(Pieces):
        sizes = stream.sizes

        def read(self, piece):
            start = int(sizes[:piece].sum())
            return (np.arange(start, start + sizes[piece]),)

    order = Streamed(Numbers([np.zeros(1)]), 32, settings.seed, window=400)
    (numbers,), batches = order.take(trainer.step)
    resident = tuple(tf.constant(array) for array in everything(load_shards(digits / "npz")))
    variables = {name: tf.Variable(value) for name, value in workload.variables(data, settings.seed).items()}
    program = Program(workload.cost, variables, Optimizer(settings.make_rule(), variables), "graph")
    program.run(resident, numbers.numpy()[batches])
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable.numpy(), trainer.variables[name].numpy())


def backwards(usual):
    return lambda *given: iter(sorted(usual(*given), reverse=True))


def test_the_order_in_which_a_system_lists_files_changes_nothing(digits, tmp_path, monkeypatch):
    """Would catch shards, folders of classes and images that are read in the order of a folder's listing."""

    def found(cut):
        shard(pictures(tmp_path / "pictures"), "--out", cut)
        loaded = [load_shards(folder) for folder in (cut, *(digits / form for form in ("npz", "idx", "tfrecord")))]
        return [[array.tobytes() for array in (*everything(one), *one.validation, *one.test)] for one in loaded]

    usual = found(tmp_path / "usual")
    for name in ("iterdir", "glob", "rglob"):
        monkeypatch.setattr(Path, name, backwards(getattr(Path, name)))
    assert found(tmp_path / "backwards") == usual


def test_shards_are_known_again_elsewhere_and_a_change_is_seen(digits, tmp_path):
    before = fingerprint(MLP(stream=digits / "npz").data(0))
    shutil.copytree(digits / "npz", tmp_path / "moved")
    assert fingerprint(MLP(stream=tmp_path / "moved").data(0)) == before
    path = tmp_path / "moved" / "train-00003.npz"
    with np.load(path) as arrays:
        x, y = arrays["x"], arrays["y"]
    x[17, 3, 3] ^= 1  # one bit, in the middle of a shard that no split holds
    np.savez(path, x=x, y=y)
    assert fingerprint(MLP(stream=tmp_path / "moved").data(0)) != before


def rewritten(path, content):
    path.write_bytes(content)


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def other_size(folder):
    np.savez(folder / "train-00004.npz", x=np.zeros([3, 9, 8], np.uint8), y=np.zeros(3, np.uint8))


def without_manifest(folder):
    (folder / "shards.json").unlink()


def damaged(form, change):
    """A change of a folder of shards, without its manifest, which alone would find most."""

    def of(folder):
        without_manifest(folder)
        change(folder)

    return form, of


REFUSED = {
    "train-00000.npz is no .npz file, or a damaged one: Bad CRC-32": damaged(
        "npz", lambda f: flipped(f / "train-00000.npz")
    ),
    "train-00002.npz is no .npz file, or a damaged one": damaged(
        "npz", lambda f: rewritten(f / "train-00002.npz", (f / "train-00002.npz").read_bytes()[:-40])
    ),
    "train-00007.npz is no .npz file": damaged("npz", lambda f: rewritten(f / "train-00007.npz", b"hello")),
    "train-00007.npz must hold the arrays x and y, found a": damaged(
        "npz", lambda f: np.savez(f / "train-00007.npz", a=1)
    ),
    "train-00004.npz must hold npz of uint8 8×8 like train-00000.npz, found npz of uint8 9×8": damaged(
        "npz", other_size
    ),
    "train-00009.npz, x must hold 1 or more images": damaged(
        "npz", lambda f: np.savez(f / "train-00009.npz", x=np.zeros([0, 8, 8], np.uint8), y=np.zeros(0, np.uint8))
    ),
    "train-00001.tfrecord is no whole TFRecord": damaged("tfrecord", lambda f: flipped(f / "train-00001.tfrecord")),
    "train-00003.tfrecord is no whole TFRecord of such examples: ": damaged(
        "tfrecord", lambda f: rewritten(f / "train-00003.tfrecord", (f / "train-00003.tfrecord").read_bytes()[:-40])
    ),
    "train-00002.tfrecord holds no record": damaged("tfrecord", lambda f: rewritten(f / "train-00002.tfrecord", b"")),
    "must hold IDX of uint8 8×8 like train-00000-images-idx3-ubyte, found TFRecord": damaged(
        "idx",
        lambda f: shutil.copy(f.parent / "original" / "tfrecord" / "train-00001.tfrecord", f / "train-zzz.tfrecord"),
    ),
    "train-00001-images-idx3-ubyte has no labels beside it": damaged(
        "idx", lambda f: (f / "train-00001-labels-idx1-ubyte").unlink()
    ),
    "train-00001-images-idx3-ubyte must hold": damaged(
        "idx",
        lambda f: rewritten(
            f / "train-00001-images-idx3-ubyte", (f / "train-00001-images-idx3-ubyte").read_bytes()[:-9]
        ),
    ),
    "more.npz is no shard: shards are called train-…": damaged("npz", lambda f: np.savez(f / "more.npz", x=1)),
    "train-notes.txt is no shard": damaged("npz", lambda f: (f / "train-notes.txt").write_text("hello")),
    "train-00001.npz is not there, though shards.json says": ("npz", lambda f: (f / "train-00001.npz").unlink()),
    "train-00001.npz must have": ("npz", lambda f: rewritten(f / "train-00001.npz", b"hello")),
    "shards.json cannot be read": ("npz", lambda f: rewritten(f / "shards.json", b"hello")),
    "must have shards train-….npz": ("npz", lambda f: [path.unlink() for path in f.iterdir()]),
    "must be a folder of shards, found nothing": ("npz", shutil.rmtree),
    "and one training shard, of which none can be held out": (
        "npz",
        lambda f: [path.unlink() for path in f.iterdir() if path.name not in ("train-00000.npz", "test-00000.npz")],
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_no_shard_is_refused_in_one_sentence(digits, tmp_path, capsys, sentence):
    form, change = REFUSED[sentence]
    (tmp_path / "original").symlink_to(digits)
    shutil.copytree(digits / form, tmp_path / "shards")
    change(tmp_path / "shards")
    said = refused(capsys, "train", "--stream", tmp_path / "shards", "--hidden", "none", "--epochs", 1)
    assert sentence in said, said
    assert str(tmp_path / "shards") in said


@pytest.mark.parametrize(
    ("column", "sentence"),
    [(np.full(90, 0.1), "column 1 must vary, found 0.1 in all 60 rows"), (np.geomspace(1, 1e300, 90), "another unit")],
)
def test_a_column_that_cannot_be_standardised_is_refused(tmp_path, column, sentence):
    """0.1 thirty times has a mean that is not 0.1, from which each would seem to vary."""
    for number, rows in enumerate(np.array_split(np.column_stack([np.arange(90.0), column]), 3)):
        np.savez(tmp_path / f"train-{number}.npz", x=rows, y=rows[:, 0])
    with pytest.raises(InputError, match=sentence):
        Regression(stream=tmp_path).data(0)


OPTIONS = {
    "--stream and --data-dir say twice": ["--data-dir", "x"],
    "has validation shards; --validation 100 is": ["--validation", "100"],
    "--stream and --subset say twice": ["--subset", "x"],
    "--window must be at least 1 example": ["--window", "0"],
}


@pytest.mark.parametrize("sentence", OPTIONS)
def test_options_that_mean_nothing_with_a_stream_are_refused(digits, capsys, sentence):
    assert sentence in refused(capsys, "train", "--stream", digits / "npz", *OPTIONS[sentence])


def test_a_window_without_a_stream_is_refused(capsys):
    assert "--window is of a stream: give --stream DIR" in refused(capsys, "train", "--window", 100)


def test_a_shard_that_is_too_large_is_to_be_cut(digits, capsys, monkeypatch):
    monkeypatch.setattr(shards, "MOST_SHARD_BYTES", 5_000)
    said = refused(capsys, "train", "--stream", digits / "npz")
    assert "5,000 are the most: cut it with `rawstep shard`" in said


def mixed_sizes(folder):
    pictures(folder)
    Image.new("L", (9, 8)).save(folder / "train" / "class 3" / "odd.png")


def no_image(folder):
    pictures(folder)
    (folder / "train" / "class 3" / "odd.png").write_bytes(b"hello")


def half_an_image(folder):
    content = next(pictures(folder).rglob("*.png")).read_bytes()
    (folder / "train" / "class 3" / "odd.png").write_bytes(content[: len(content) // 2])


def table(text):
    def of(folder):
        folder.mkdir()
        (folder / "table.csv").write_text(text)

    return of


UNCUT = {
    "odd.png must be 8×8 pixels": (mixed_sizes, []),
    "odd.png is no image, or a damaged one": (no_image, []),
    "odd.png is no image, or a damaged one: image file is truncated": (half_an_image, []),
    "table.csv: column b must hold finite numbers, found 'x' in row 2": (
        table("a,b\n1,2\n3,x\n4,4\n5,5\n"),
        ["--target", "a"],
    ),
    "table.csv: column b must hold finite numbers, found a missing value in row 2": (
        table("a,b\n1,2\n3,\n4,4\n5,5\n"),
        ["--target", "a"],
    ),
    "table.csv has no column 'c'": (table("a,b\n1,2\n"), ["--target", "c"]),
    "table.csv must have two or more columns, found a alone": (table("a\n1\n"), []),
    "table.csv must name its columns in its first row, found nothing": (table(""), []),
    "examples for validation": (table("a,b\n1,2\n3,4\n"), ["--target", "a"]),
}


@pytest.mark.parametrize("sentence", UNCUT)
def test_what_cannot_be_cut_leaves_nothing(tmp_path, capsys, sentence):
    make, options = UNCUT[sentence]
    make(tmp_path / "source")
    tables = [*(tmp_path / "source").glob("*.csv")] or [tmp_path / "source"]
    said = refused(capsys, "shard", *tables, *options, "--out", tmp_path / "shards")
    assert sentence in said, said
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_an_archive_that_is_cut_off_is_found_at_its_end(digits, tmp_path, capsys):
    """Whose arrays are read a part at a time: the checksum is compared after the last."""
    content = bytearray((digits / "digits.npz").read_bytes())
    with zipfile.ZipFile(digits / "digits.npz") as archive:
        place = archive.getinfo("x_train.npy").header_offset
    content[place + 5_000] ^= 1
    (tmp_path / "digits.npz").write_bytes(content)
    said = refused(capsys, "shard", tmp_path / "digits.npz", "--out", tmp_path / "shards")
    assert "digits.npz is no .npz file, or a damaged one: Bad CRC-32" in said
    assert not (tmp_path / "shards").exists()
