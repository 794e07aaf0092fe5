"""Pictures of a run: real files of their format, the same for the same run, of any run."""

from xml.etree import ElementTree

import pytest

from core import InputError
from training.output.plot import check_plot
from training.runs.plot import plot_run

BEGINNINGS = {"png": b"\x89PNG\r\n", "pdf": b"%PDF", "svg": b"<?xml"}


def report(costs, judged_by="accuracy"):
    return {
        "epochs": [{"cost": cost, f"validation_{judged_by}": 0.5 + 0.1 * n} for n, cost in enumerate(costs)],
        f"test_{judged_by}": 0.75,
        "judged_by": judged_by,
        "settings": {"rule": "adam", "dialect": "keras", "learning_rate": 0.001, "seed": 7},
    }


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_a_picture_is_a_file_of_its_format_and_the_same_each_time(tmp_path, ending):
    for name in ("first", "second"):
        plot_run(report([140.0, 37.0, 23.0]), tmp_path / f"{name}.{ending}")
    first, second = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("first", "second"))
    assert first.startswith(BEGINNINGS[ending])
    assert first == second


def test_a_picture_draws_what_the_report_says(tmp_path):
    """Another cost is another curve, and the rest stays as it is."""
    pictures = []
    for cost in (23.0, 24.0):
        plot_run(report([140.0, 37.0, cost]), tmp_path / "run.svg")
        tree = ElementTree.parse(tmp_path / "run.svg")
        ids = {
            e.get("id"): [p.get("d") for p in e.iter("{http://www.w3.org/2000/svg}path")]
            for e in tree.iter()
            if e.get("id")
        }
        pictures.append(ids)
    changed = {name for name in pictures[0] if pictures[0][name] != pictures[1].get(name)}
    assert "axes_1" in changed
    assert "axes_2" not in changed


@pytest.mark.parametrize("judged_by", ["accuracy", "cost"])
@pytest.mark.parametrize("costs", [[5.0], [float("nan")] * 3, [3.0, float("inf"), float("nan")]])
def test_a_short_run_and_one_that_diverged_are_drawn(tmp_path, costs, judged_by):
    """Any warning would be an error here. Would catch a picture of accuracies alone."""
    plot_run(report(costs, judged_by), tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 1000


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"run\.xls must end in \.png or \.svg or \.pdf\."):
        check_plot(tmp_path / "run.xls")
