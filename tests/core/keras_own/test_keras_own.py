"""Keras's own tests, as its wheel carries them, with our rules wherever they make an optimizer that is one of ours.

They run in a process of their own, under pytest's defaults. None of them is copied.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import pytest
from junitparser import Skipped
from junitparser.xunit2 import JUnitXml, TestCase

from core import RULES
from core.verification.libraries import Keras

from .exceptions import EVERY_TIME, FAILING, NOT_RUN, WHOLE
from .put_in import MADE, TEST

ROOT, SOURCE = Path(__file__).parents[3], Path(keras.__file__).parent / "src"


class Outcome(NamedTuple):
    """What became of one of Keras's tests.

    test:    its name, from `keras/src` on.
    became:  "passed", "skipped" or "failed".
    made:    how many optimizers of ours were made for it.
    message: why it failed or was skipped, in one line.
    """

    test: str
    became: str
    made: int = 0
    message: str = ""


def outcomes(folder: Path, arguments: Sequence[str], plugins: Sequence[str] = ("put_in",)) -> list[Outcome]:
    """Of Keras's tests, run by a pytest that knows nothing of this project's settings; the report goes to `folder`."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, f"--rootdir={SOURCE}", "-p", "no:cacheprovider"]
    command += [part for plugin in plugins for part in ("-p", f"{__package__}.{plugin}")]
    command += [f"--junit-xml={report}", "--quiet", "--tb=short", "--disable-warnings", *arguments]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",  # pytest's own copies of Keras's files would lie beside them
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), done.stdout + done.stderr
    return [_outcome(case) for suite in JUnitXml.fromfile(report) for case in suite]


def _outcome(case: TestCase) -> Outcome:
    told = {each.name: each.value for each in case.properties()}
    if not case.result:
        return Outcome(told[TEST], "passed", int(told[MADE]))
    result = case.result[0]
    became = "skipped" if isinstance(result, Skipped) else "failed"
    return Outcome(told[TEST], became, int(told.get(MADE, 0)), " ".join(result.message.split())[:200])


def selected(whole: bool) -> list[str]:
    """pytest's arguments for the tests that are run every time, or for all."""
    files = {**EVERY_TIME, **WHOLE} if whole else EVERY_TIME
    parts = {Path(file).name: words for file, words in files.items()}
    expression = " or ".join(f"({name} and ({words}))" if words else name for name, words in parts.items())
    return [*(str(SOURCE / file) for file in files), "-k", expression, *(f"--deselect={test}" for test in NOT_RUN)]


def complaints(found: Sequence[Outcome]) -> list[str]:
    """A line for each test that failed and is in no table, or that passed and is in one."""
    wrong = []
    for each in found:
        if each.became == "failed" and each.test not in FAILING:
            wrong.append(f"{each.test}: {each.message}")
        elif each.became == "passed" and each.test in FAILING:
            wrong.append(f"{each.test}: passes, though it stands in the table: {FAILING[each.test]}")
    return wrong


@pytest.mark.parametrize(
    ("whole", "floor"), [(False, 110), pytest.param(True, 410, marks=pytest.mark.whole)], ids=["every-time", "whole"]
)
def test_keras_own_tests_pass_with_rawstep_rules_in_them(whole, floor, tmp_path):
    """Except those in the table. Would catch a bridge that lacks what a model, a callback or a file asks of it."""
    found = outcomes(tmp_path, selected(whole))
    if wrong := complaints(found):
        pytest.fail("\n".join(wrong), pytrace=False)
    assert sum(each.became == "passed" and each.made > 0 for each in found) >= floor
    if whole:
        assert FAILING.keys() <= {each.test for each in found}


@pytest.mark.whole
def test_keras_own_tests_fail_where_steps_are_twice_as_long(tmp_path):
    """With each rule; their tolerances would hide a hundredth. Would catch tests that meet Keras's own optimizers."""
    titles = {Keras.spelled(name).name.lower() for name in filter(Keras.has, RULES)}
    files = [f"optimizers/{title}_test.py" for title in sorted(titles)]
    found = outcomes(tmp_path, [str(SOURCE / file) for file in files], ["put_in", "spoilt"])
    wrong = "\n".join(complaints(found))
    assert [file for file in files if f"{file}::" not in wrong] == []


def test_a_named_failure_that_passes_is_reported_and_an_unnamed_failure_too():
    named, unnamed = next(iter(FAILING)), "optimizers/adam_test.py::AdamTest::test_ema"
    found = [Outcome(name, became, 1, "why") for name in (named, unnamed) for became in ("passed", "failed", "skipped")]
    assert complaints(found) == [f"{named}: passes, though it stands in the table: {FAILING[named]}", f"{unnamed}: why"]
