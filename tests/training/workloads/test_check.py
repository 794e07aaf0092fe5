"""What is said of mistakes in a workload of the user's own, before anything is trained."""

import numpy as np
import pytest

from core import InputError
from training.commands.cli import main
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


def checked(tmp_path, monkeypatch, old="", new=""):
    """The workload with a mistake in it, as the commands check it."""
    assert old in WHOLE
    name = f"line_{abs(hash((old, new)))}"  # a module is imported once
    (tmp_path / f"{name}.py").write_text(WHOLE.replace(old, new, 1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    workload = import_named(f"{name}:Line")()
    return checked_variables(workload, checked_data(workload, 0), 0)


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
    "no variables": ('{"w": np.zeros((1, 1), np.float32)}', "{}", "line 14, in Line.variables: The variables must be"),
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
        checked(tmp_path, monkeypatch, old, new)
    assert "\n" not in str(error.value)


def test_a_command_ends_in_that_sentence(tmp_path, monkeypatch, capsys):
    """Would catch a trainer that does not check."""
    (tmp_path / "wrong_line.py").write_text(WHOLE.replace("tf.reduce_mean(tf.square", "(tf.square"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--workload", "wrong_line:Line", "--batch-size", "5", "--checkpoint", "run"])
    said = capsys.readouterr().err
    assert said.startswith("rawstep: wrong_line.py, line 17, in Line.cost: The cost must be a scalar tensor")
    assert not (tmp_path / "run").exists()
