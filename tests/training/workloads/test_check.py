"""What is said of mistakes in a workload of the user's own, before anything is trained."""

import numpy as np
import pytest

from benchmarks.cli import main as bench
from core import InputError
from training.commands.cli import main
from training.runs.small import small
from training.workloads.check import checked_data, checked_variables
from training.workloads.imports import import_named

WHOLE = '''
import numpy as np
import tensorflow as tf
from training.workloads.workload import Data, Workload

class Line(Workload):
    """y from x, by one weight."""

    def data(self, seed):
        x = np.arange(20, dtype=np.float32)[:, np.newaxis]
        y = 3 * x[:, 0]
        return Data((x[:10], y[:10]), (x[10:15], y[10:15]), (x[15:], y[15:]))

    def variables(self, data, seed):
        return {"w": np.zeros((1, 1), np.float32)}

    def cost(self, variables, x, y):
        return tf.reduce_mean(tf.square(tf.matmul(x, variables["w"])[:, 0] - y))

    def metrics(self, variables, x, y):
        return {"error": tf.reduce_mean(tf.abs(tf.matmul(x, variables["w"])[:, 0] - y))}
'''


def module(tmp_path, monkeypatch, *changes):
    """The name of a module of its own, in which the workload has mistakes."""
    text, name = WHOLE, f"line_{abs(hash(changes))}"  # a module is imported once
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def checked(*place):
    """The workload with mistakes in it, as the commands check it."""
    workload = import_named(f"{module(*place)}:Line")()
    return checked_variables(workload, checked_data(workload, 0), 0, batch_size=6)


def test_a_workload_without_mistakes_passes(tmp_path, monkeypatch):
    """Would catch a check that refuses what works."""
    np.testing.assert_array_equal(checked(tmp_path, monkeypatch)["w"], np.zeros((1, 1), np.float32), strict=True)


MISTAKES = {
    "no Data": (
        "return Data((",
        "return dict, ((",
        r"line 9, in Line.data: The data must be Data\(train, valid.*tuple",
    ),
    "a split of one array": ("(x[15:], y[15:])", "x[15:]", "The split test must be a tuple of arrays, found a NumPy"),
    "a list of numbers": ("y[:10])", "y[:10].tolist())", "split train must hold arrays of numbers, found list of 0.0"),
    "an empty split": ("x[15:], y[15:]", "x[20:], y[20:]", "test must have at least one example, found none"),
    "labels too few": ("y[10:15]", "y[10:14]", r"validation must have as many examples, found \[5, 4\]"),
    "another dtype": (
        "y[15:])",
        "y[15:].astype(int))",
        r"found float32 \[1\], float32 \[\] in train, .*int64 \[\] in test",
    ),
    "another shape": ("(x[15:],", "(x[15:, 0],", r"found float32 \[1\], float32 \[\] in train, float32 \[\], float32"),
    "data that fail": ("y = 3 *", "y = 3 * x[99] *", "line 11, in Line.data: IndexError: index 99 is out of bounds"),
    "an endless number": (
        "y = 3 *",
        "y = 1 / 0. ** x[:, 0] if 0 else np.nan *",
        "Array 2 of the split train .* 10 of 10",
    ),
    "one in another split": (
        "(x[15:],",
        "(x[15:] + np.where(x[15:] < 19, 0, np.float32(np.inf)),",
        "Array 1 of the split test .* 1 of 5 that are NaN or",
    ),
    "words": (
        "(x[15:],",
        "(x[15:].astype(str),",
        "The split test must hold arrays of numbers, found a NumPy array, str",
    ),
    "a note": ("y[15:]))", "y[15:]), notes='hello')", "The notes must be a list of sentences, found 'hello'"),
    "no Data but tuples": (
        "return Data((",
        "return tuple, ((",
        "test.*, found tuple of the class tuple, tuple of 3",
    ),
    "no variables": (
        '{"w": np.zeros((1, 1), np.float32)}',
        "{}",
        "Line.variables: There must be at least one variable, f",
    ),
    "a whole variable": (
        "1), np.float32)",
        "1), np.int32)",
        r"variable w must be .* floating dtype, found a NumPy .*int32",
    ),
    "a number": ("np.zeros((1, 1), np.float32)", "0.0", "The variable w must be a NumPy array .* found 0.0"),
    "a cost of each": (
        "tf.reduce_mean(tf.square",
        "(tf.square",
        r"in Line.cost: The cost must be a scalar .*float32 \(8,\)",
    ),
    "a cost in float64": (
        'tf.reduce_mean(tf.square(tf.matmul(x, variables["w"])[:, 0] - y))',
        'tf.cast(tf.reduce_mean(x * variables["w"]), tf.float64)',
        "of the variables' dtype, float32, found float64",
    ),
    "shapes that do not fit": (
        "tf.matmul(x,",
        "tf.matmul(y[None],",
        r"line 18, in Line.cost: InvalidArgumentError: .*\[1,8\]",
    ),
    "a metric of each": (
        "tf.reduce_mean(tf.abs",
        "(tf.abs",
        r"in Line.metrics: The metric error must be .*float32 \(8,\)",
    ),
    "a metric that fails": ('"error": tf', '"error": 1 / 0 * tf', "line 21, in Line.metrics: ZeroDivisionError"),
    "a metric called cost": ('"error"', '"cost"', "The cost is a figure of its own"),
    "a metric without a name": ('"error"', "3", "The name of a metric must be a text, found 3"),
    "a cost by if": (
        "return tf.reduce_mean(tf.sq",
        'if tf.reduce_sum(variables["w"]) > 0: pass\n        return tf.reduce_mean(tf.sq',
        "line 18, in Line.cost: Python's `if`",
    ),
    "a metric by NumPy": (
        '"error": tf',
        '"error": float(x.numpy()[0, 0]) + tf',
        "line 21, in Line.metrics: a tensor has no",
    ),
    "a cost of a batch": (
        "tf.reduce_mean(tf.sq",
        "1 / (x.shape[0] - 6) * tf.reduce_mean(tf.sq",
        "line 18.*ZeroDivisionE",
    ),
    "a metric of a split": (
        "tf.reduce_mean(tf.abs",
        "1 / (x.shape[0] - 5) * tf.reduce_mean(tf.abs",
        "in Line.metrics: ZeroDi",
    ),
    "a cost that is none": (
        "tf.reduce_mean(tf.square(",
        "tf.reduce_mean(np.nan * tf.square(",
        "must be a number, found NaN",
    ),
    **{
        f"{name} that fails": (
            '"""y from',
            f'def {name}(self, *_): raise KeyError("x")\n    """y from',
            f"line 7, in Line.{name}: KeyError: 'x'",
        )
        for name in ("products", "title", "followed", "check_fit")
    },
    **{
        f"{attribute} = {value}": ('"""y from', f'{attribute} = {value}\n    """y from', sentence)
        for attribute, value, sentence in (
            ("evaluated_at_once", "0", "Line.evaluated_at_once must be a whole number from 1, found 0"),
            ("watched", "'train'", "Line.watched must be a tuple of splits, found 'train'"),
            ("groups", "{'heads': 'w'}", "Line.groups must be tuples of patterns by name, found list of 'w'"),
            ("title", "lambda *_: 3", "The title must be a text, found 3"),
            ("products", "lambda *_: [3]", "The products must be a sequence of Product, found list of 3"),
            ("followed", "lambda *_: 'w[0]'", "It must return elements by name, such as .*, found 'w"),
        )
    },
    "another judge": (
        '"""y from',
        'judged_by = "accuracy"\n    """y from',
        "must be one of cost, error, found 'accuracy'",
    ),
    "another split": (
        '"""y from',
        'watched = ("valid",)\n    """y from',
        "must name train, validation or test, found 'valid'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path, monkeypatch, mistake):
    """Would catch a mistake that shows as another library's traceback, or as a cost that means nothing."""
    old, new, sentence = mistake
    with pytest.raises(InputError, match=sentence) as error:
        checked(tmp_path, monkeypatch, (old, new))
    assert "\n" not in str(error.value)


def test_a_class_number_that_is_none_is_found_wherever_it_is(tmp_path, monkeypatch):
    """Would catch a look at the first examples alone: XLA makes the cost NaN, in the middle of the run."""
    labels = ("y = 3 * x[:, 0]", "y = np.arange(20) // 19")
    cost = (
        'tf.square(tf.matmul(x, variables["w"])[:, 0] - y)',
        'tf.nn.sparse_softmax_cross_entropy_with_logits(y, x * variables["w"])',
    )
    with pytest.raises(InputError, match=r"line 18, in Line.cost: Invalid.* label value of 1 which is outside"):
        checked(tmp_path, monkeypatch, labels, cost)


SETTINGS = {
    "defaults = None": "Line.defaults must be values by the names of options, such as .*, found None",
    "defaults = {'batch_size': '10'}": "must have a whole number from 1 for batch_size, found '10'",
    "defaults = {'epochs': 2.5}": "must have a whole number from 1 for epochs, found 2.5",
    "defaults = {'rule': 3}": "must have a text for rule, found 3",
    "defaults = {'decay_only': 'w'}": "must have a tuple of texts for decay_only, found 'w'",
    "defaults = {'ema': [1]}": "must have a number or a text for ema, found list of 1",
    "defaults = {'seed': 4}": "must not have seed: it is no default of a workload",
    "execution = lambda self, device: 'fast'": "The execution must be one of eager, .*, found 'fast'",
    "execution = lambda self, device: device[9]": "line 7, in Line.<lambda>: IndexError",
    "small = classmethod(lambda cls: 3)": "It must return a workload, found 3",
    "small = classmethod(lambda cls: cls.larger())": "line 7, in Line.<lambda>: AttributeError",
}


def with_setting(tmp_path, monkeypatch, setting):
    name = module(tmp_path, monkeypatch, ('"""y from', f'{setting}\n    """y from'))
    return small(f"{name}:Line", {}).settled()


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_a_class_says_of_its_runs_is_checked_before_they_are_settled(tmp_path, monkeypatch, setting):
    """Would catch a default that is half obeyed, and one that shows as a KeyError."""
    with pytest.raises(InputError, match=SETTINGS[setting]):
        with_setting(tmp_path, monkeypatch, setting)


def test_defaults_that_a_class_lacks_are_those_of_all(tmp_path, monkeypatch):
    """Would catch a class that must repeat batch_size to name its epochs."""
    settled = with_setting(tmp_path, monkeypatch, "defaults = {'epochs': 2}")
    assert (settled.batch_size, settled.epochs) == (100, 2)


def test_a_command_ends_in_that_sentence(tmp_path, monkeypatch, capsys):
    """Would catch a trainer, and a bench, that do not check."""
    (tmp_path / "wrong_line.py").write_text(WHOLE.replace("tf.reduce_mean(tf.square", "(tf.square"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--workload", "wrong_line:Line", "--batch-size", "5", "--checkpoint", "run"])
    said = capsys.readouterr().err
    assert said.startswith("rawstep: wrong_line.py, line 17, in Line.cost: The cost must be a scalar tensor")
    assert not (tmp_path / "run").exists()
    with pytest.raises(SystemExit, match="2"):
        bench(["compare", "--workload", "wrong_line:Line", "--batch-size", "5", "--out", "run"])
    assert capsys.readouterr().err.startswith("rawstep-bench: wrong_line.py, line 17, in Line.cost: The cost must be")
    assert not (tmp_path / "run").exists()
