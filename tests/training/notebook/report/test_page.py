"""The report of the newest record, in a real browser: it renders, answers to the pointer, and asks no network."""

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Error

from training.notebook.conduct import NAMES
from training.notebook.place import Place
from training.notebook.report import write_report
from training.notebook.report.charts import charts

from ...browsing import check_page, needs_chromium

RECORD = max((Path(__file__).parents[4] / "benchmarks/records").glob("*_replicate"))
CHARTS = ["costs", "accuracies", "epochs", "learning-rates", "optimizers", "batch-sizes"]
SERIES = ["adam", "adam-lr-0.005", "adam-lr-0.0005", "adadelta", "adagrad", "adam-batch-200", "adam-batch-50"]


@pytest.fixture(scope="module")
def results():
    return json.loads((RECORD / "results.json").read_text())


@pytest.fixture(scope="module")
def report(tmp_path_factory, results):
    """The report made anew from the record's results and pictures, which it keeps as they are without the states."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copytree(RECORD / "pictures", folder / "pictures")
    write_report(results, Place(folder))
    return folder / "report.html"


@pytest.fixture
def open_report(open_page, report):
    ready = f"document.querySelectorAll('.main-svg .xtick').length >= {len(CHARTS)}"
    return lambda **window: open_page(report, ready, **window)


def test_the_report_is_the_record_s(report):
    """Would catch a report in the record that other results or another rawstep made."""
    assert (RECORD / "report.html").read_text() == report.read_text()


@pytest.mark.parametrize("part", NAMES)
def test_any_part_alone_has_a_report(results, part, tmp_path):
    """Would catch a page that asks for what only others have."""
    kept = {name: {part: results[name][part]} if part in results[name] else {} for name in ("parts", "answers")}
    write_report(results | kept | {"orderings": []}, Place(tmp_path))
    written = (tmp_path / "report.html").read_text()
    assert all(answer["question"] in written for answer in kept["answers"].values())


def test_a_run_of_one_epoch_is_seen_in_its_charts(results):
    """Would catch a line of a single point, which is nothing; the edges of bands stay without marks."""
    runs = {
        name: run | {"epochs": run["epochs"][:1]} if "epochs" in run else run for name, run in results["runs"].items()
    }
    drawn = charts(results | {"runs": runs})
    for name in ("costs", "accuracies", "epochs"):
        assert drawn[name].count('"mode":"lines+markers"') == (3 if name == "epochs" else len(SERIES)), name
    assert "lines+markers" not in charts(results)["costs"]


@needs_chromium
def test_all_charts_are_drawn_and_all_pictures_there(open_report, results):
    page = open_report()
    for chart in CHARTS:
        assert page.locator(f"#{chart} .scatterlayer .trace").count() >= 3, chart
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 100)")
    assert page.locator("figure img").count() == 5
    text = page.inner_text("body")
    for answer in results["answers"].values():
        assert answer["question"] in text
        assert f"That {answer['verdict']}." in text
    rows = page.locator("table").first.locator("tr").count() - 1
    assert rows == sum(len(part.get("beside", ())) for part in results["parts"].values()) == 33
    check_page(page)


@needs_chromium
def test_a_series_is_switched_off_and_on_with_its_band_and_the_notebook_s_costs(open_report):
    page = open_report()
    shown = "document.querySelectorAll('#costs .scatterlayer .trace').length"
    before = page.evaluate(shown)
    assert before == 4 * len(SERIES)
    legend = page.locator("#costs .legendtoggle")
    legend.nth(SERIES.index("adagrad")).click()
    page.wait_for_function(f"{shown} === {before - 4}")
    legend.nth(SERIES.index("adagrad")).click()
    page.wait_for_function(f"{shown} === {before}")


@needs_chromium
def test_a_curve_tells_its_figures_to_the_pointer(open_report, results):
    page = open_report()
    accuracy = results["parts"]["question-4"]["rows"][0]["equal_epochs"]["validation_accuracy"]
    chart = page.locator("#batch-sizes")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".scatterlayer .trace").first.locator(".point").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.wait_for_selector("#batch-sizes .hovertext")
    assert f"{accuracy:.2%}" in chart.locator(".hoverlayer").inner_html()


@needs_chromium
def test_of_a_single_epoch_each_chart_shows_its_point(open_page, results, tmp_path):
    """Would catch a line through one point, which is no line, and ticks that all say the same."""
    part = results["parts"]["adam"]
    runs = {name: results["runs"][name] | {"epochs": results["runs"][name]["epochs"][:1]} for name in part["runs"]}
    kept = {"parts": {"adam": part}, "answers": {}, "orderings": [], "runs": runs}
    write_report(results | kept, Place(tmp_path))
    page = open_page(tmp_path / "report.html", "document.querySelectorAll('.main-svg .xtick').length >= 2")
    for chart in ("costs", "accuracies"):
        assert page.locator(f"#{chart} .scatterlayer .points path").count() >= 1
        assert page.locator(f"#{chart} .yerror").count() >= 1
    check_page(page)


@needs_chromium
def test_the_tests_themselves_see_a_broken_page(browser, report, tmp_path):
    """Planted: a script that is cut off, as by a failed write, and a page that asks the network."""
    broken = tmp_path / "broken.html"
    broken.write_text(report.read_text().replace("Plotly.newPlot", "Plotly.nonesuch"))
    said, asked = [], []
    page = browser.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(broken.as_uri())
    with pytest.raises(Error):
        page.wait_for_selector(".main-svg", timeout=1_000)
    page.evaluate("fetch('http://localhost:9/').catch(() => 0)")
    page.close()
    assert any("nonesuch" in sentence for sentence in said)
    assert "http://localhost:9/" in asked
