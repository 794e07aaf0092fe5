"""The page of a trace in a real browser: it renders, its sliders move, its numbers are the recorded ones."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from core import Adagrad, Adam
from training.views.trace.equations import followed
from training.views.trace.page import page, settings_table
from training.views.trace.trace import load

from ...browsing import check_page, needs_chromium
from ..explain.evaluated import _element, _python

READY = "document.querySelectorAll('#curves .js-line').length > 0"
LINES = "[...document.querySelectorAll('#{} .scatterlayer .js-line')].map(line => line.getAttribute('d'))"


@pytest.fixture
def open_trace(open_page, runs):
    return lambda name="adam", **window: open_page(getattr(runs, name) / "trace.html", READY, **window)


def slide(page, name, position):
    """Moves a slider as a person does: it changes, and an event follows."""
    page.locator(f"#{name}-step").evaluate(
        "(slider, at) => { slider.value = at; slider.dispatchEvent(new Event('input')) }", position
    )


def lines(page, chart):
    return page.evaluate(LINES.format(chart))


@needs_chromium
def test_every_figure_can_be_chosen_and_is_drawn_for_every_layer_or_once_where_all_are_the_same(open_trace, runs):
    """Adam's bias corrections depend on the step alone. The cost, which is no layer's, has a colour of its own."""
    opened, trace = open_trace(), runs.traces[runs.adam]
    of_layers = opened.evaluate("data.layers.map(layer => layer.colour)")
    assert opened.evaluate("document.getElementById('curves').data[0].line.color") not in of_layers
    keys = opened.eval_on_selector_all("#figure option", "options => options.map(option => option.value)")
    assert {"cost", "norm_g", "norm_root_v", "relative_delta", "rates", "correction_1", "norm_m_hat"} <= {*keys}
    for key in keys:
        opened.select_option("#figure", key)
        of_all = key in ("cost", "correction_1", "correction_2") or key.startswith("nonfinite")
        drawn = 5 if key == "rates" else 1 if of_all else len(trace.layers)
        assert opened.locator("#curves .scatterlayer .trace").count() == drawn, key
        assert opened.locator("#layer-toggles").is_visible() != of_all
        assert opened.inner_text("#figure-meaning") in opened.inner_text("#meanings")
        if key in ("rates", "correction_1", "share_zero_g"):
            check_page(opened, schemes=["dark"])


def test_a_trace_of_an_earlier_version_is_shown_beside_another(runs):
    """It has settings of the perceptron where a workload's are now. Would catch a page that needs today's keys."""
    trace = runs.traces[runs.adam]
    new = ("workload", "workload_options", "rule_options")
    settings = {name: value for name, value in trace.about["settings"].items() if name not in new}
    about = {name: value for name, value in trace.about.items() if name != "judged_by"}
    before = trace._replace(about=about | {"settings": settings | {"hidden": [8]}, "network": [16, 8, 3]})
    rows = settings_table({"now": trace, "before": before})
    assert ["hidden", "8", "8"] in rows
    assert ["test accuracy", *[f"{trace.about['test_accuracy']:.4f}"] * 2] in rows


@needs_chromium
def test_what_stands_around_a_rule_is_drawn_too(around, open_page):
    """Names of parts have dots in them, and a piece may be that of some layers alone."""
    opened, trace = open_page(around / "trace.html", READY), load(around)
    keys = opened.eval_on_selector_all("#figure option", "options => options.map(option => option.value)")
    assert {"learning_rate", "clip_by_norm.factor", "relative_average.distance", "norm_adam.m"} <= {*keys}
    for key in (key for key in keys if "." in key or key == "learning_rate"):
        opened.select_option("#figure", key)
        have = [column for column in trace.columns if column.rpartition("/")[2] == key and "[" not in column]
        assert opened.locator("#curves .scatterlayer .trace").count() == len(have), key
    for element in range(2):
        opened.select_option("#element", str(element))
        assert opened.locator("#equations .numbers").count() > 1
        norms = [text for text in opened.locator("#equations .numbers").all_inner_texts() if "‖" in text]
        assert norms
        assert all("g" in text for text in norms), "no number of this element stands for those of all"
    assert "h1/clip_by_norm shortened " in opened.inner_text("p >> nth=0")
    check_page(opened, widths=[1280], schemes=["dark"])


@needs_chromium
def test_a_run_of_one_record_is_drawn_as_points(runs, tmp_path, open_page):
    """A line through one point is nothing."""
    trace, path = runs.traces[runs.adam], tmp_path / "short.html"
    columns = {name: column[:1] for name, column in trace.columns.items()}
    path.write_text(page("short", trace._replace(steps=trace.steps[:1], columns=columns), ADAM_RULE, {}))
    opened = open_page(path, "document.querySelectorAll('#curves .point').length > 0")
    opened.select_option("#figure", "norm_g")
    assert opened.locator("#curves .point").count() == len(trace.layers)


@needs_chromium
def test_a_curve_has_the_recorded_values(open_trace, runs):
    opened, trace = open_trace(), runs.traces[runs.adam]
    opened.select_option("#figure", "norm_delta")
    drawn = opened.evaluate("document.getElementById('curves').data.map(({name, x, y}) => [name, x, y])")
    assert [name for name, _, _ in drawn] == trace.layers
    for name, x, y in drawn:
        assert x == [*trace.steps]
        np.testing.assert_allclose(y, trace.columns[f"{name}/norm_delta"], rtol=5e-5)  # shown to five digits


@needs_chromium
def test_a_layer_is_switched_off_and_on_and_of_the_bands_all_but_one_are_off_at_first(open_trace, runs):
    """Bands of all layers would cover each other."""
    opened, layers = open_trace(), runs.traces[runs.adam].layers
    switched_on = "[...document.querySelectorAll('#layer-toggles input:checked')].map(one => one.name)"
    opened.select_option("#figure", "norm_x")
    toggle = opened.locator("#layer-toggles label", has_text="b1")
    for expected in (layers, [layer for layer in layers if layer != "b1"], layers):
        assert opened.evaluate(switched_on) == expected
        assert opened.evaluate("document.getElementById('curves').data.map(({name}) => name)") == expected
        assert len(lines(opened, "curves")) == len(expected)
        toggle.click()
    opened.select_option("#figure", "rates")
    assert opened.evaluate(switched_on) == layers[:1]
    toggle.click()
    assert opened.locator("#curves .scatterlayer .trace").count() == 2 * 5


@needs_chromium
def test_a_second_run_is_laid_over_in_the_same_colours_and_other_dashes(open_trace, runs):
    opened = open_trace("adagrad")
    opened.select_option("#figure", "norm_g")
    styles = opened.evaluate(
        "[...document.querySelectorAll('#curves .js-line')].map(({style}) => [style.stroke, style.strokeDasharray])"
    )
    layers = len(runs.traces[runs.adam].layers)
    assert len(styles) == 2 * layers
    assert [colour for colour, _ in styles[:layers]] == [colour for colour, _ in styles[layers:]]
    assert len({colour for colour, _ in styles}) == layers
    assert {dash for _, dash in styles[:layers]}.isdisjoint({dash for _, dash in styles[layers:]})
    assert len(lines(opened, "histograms")) == 2
    opened.locator("#run-toggles label", has_text=runs.adam.name).click()
    assert len(lines(opened, "curves")) == layers
    assert len(lines(opened, "histograms")) == 1


@needs_chromium
def test_the_slider_moves_the_histogram_to_what_was_counted_then(open_trace, runs):
    opened, trace = open_trace(), runs.traces[runs.adam]
    first = lines(opened, "histograms")
    slide(opened, "histogram", 7)
    assert lines(opened, "histograms") != first
    assert opened.inner_text("#histogram-at") == f"step {trace.steps[7]}"
    counts = trace.columns["h1/histogram_g"][7]
    assert opened.inner_text("#histogram-apart").startswith(f"Of 128 elements {counts[0]} are 0")
    x, y = opened.evaluate("(({x, y}) => [x, y])(document.getElementById('histograms').data[0])")
    assert np.sum(np.diff(x) * y[:-1]) * 128 == pytest.approx(counts[1:].sum())
    opened.select_option("#histogram-figure", "histogram_x")
    said = opened.inner_text("#histogram-apart")
    assert re.fullmatch(r"Of 128 elements 0 are 0(, \d+ are left of the picture)?\.", said), said


@needs_chromium
def test_play_moves_the_sliders_and_pause_stops_one(open_trace):
    opened = open_trace()
    for name in ("histogram", "followed"):
        opened.click(f"#{name}-play")
    for name in ("histogram", "followed"):
        opened.wait_for_function(f"document.getElementById('{name}-step').value >= 2")
    opened.click("#histogram-play")
    stopped, going = (opened.input_value(f"#{name}-step") for name in ("histogram", "followed"))
    opened.wait_for_function(f"document.getElementById('followed-step').value >= {going} + 2")
    assert opened.input_value("#histogram-step") == stopped


@needs_chromium
@pytest.mark.parametrize("run", ["adam", "adagrad"])
def test_a_followed_parameter_shows_the_recorded_numbers_in_equations_that_hold(open_trace, runs, run):
    """Would catch numbers of another step, another element or another place, and equations of another dialect."""
    opened, trace, shown = open_trace(run), runs.traces[getattr(runs, run)], []
    for number, element in enumerate(trace.elements):
        opened.select_option("#element", str(number))
        for position in (0, 9, 15):
            slide(opened, "followed", position)
            assert opened.inner_text("#followed-at") == f"step {trace.steps[position]}"
            results = [value(text) for text in opened.locator("#equations .result").all_text_contents()]
            recorded = [trace.columns[f"{element}/{name}"][position] for name in NAMES[run]]
            np.testing.assert_allclose(results, recorded, rtol=SIX_DIGITS)
            for right, result in zip(right_sides(opened), results, strict=True):
                assert abs(evaluated(right) - result) <= uncertainty(right, result), right
            shown += results
    assert len({*shown}) > len(shown) / 2


NAMES = {
    "adam": ("m", "v", "correction_1", "correction_2", "m_hat", "v_hat", "denominator", "delta", "x"),
    "adagrad": ("a", "denominator", "delta", "x"),
}
"""What the equations give, in the order of the formula."""
ADAM_RULE = Adam.dialect("tf1", learning_rate=0.01)
SIX_DIGITS = 5e-6
"""Half a unit in the sixth digit of the smallest number, relative: 100000."""


def value(text):
    return float(text.replace("−", "-"))


def right_sides(opened):
    """The right side of each displayed equation with numbers, read back from the page's MathML into Python."""
    written = opened.eval_on_selector_all(
        "#equations .numbers",
        "all => all.map(one => [...one.querySelectorAll('math > mrow > *')].slice(1, -2)"
        ".map(child => child.outerHTML.replace(/ (xmlns|form)=\"[^\"]*\"/g, '')).join(''))",
    )
    return [_python(_element(f"<mrow>{one.replace('−', '-')}</mrow>"), {}) for one in written]


def evaluated(right):
    return float(eval(right, {"sqrt": np.sqrt}))


def uncertainty(right, result):
    """What six digits leave open: of each number that has as many, and of the result; and a tenth for float32."""
    total = SIX_DIGITS * abs(result)
    for number in re.finditer(r"\d\.?[\d.]{4,}(e[-+]\d+)?", right):
        moved = f"{right[: number.start()]}{float(number[0]) * (1 + SIX_DIGITS)!r}{right[number.end() :]}"
        total += abs(evaluated(moved) - evaluated(right))
    return 1.1 * total


@needs_chromium
def test_an_equation_with_a_wrong_number_in_it_does_not_hold(open_trace, runs, tmp_path, open_page):
    """Planted: v̂ where m̂ belongs, as it were recorded so."""
    trace = runs.traces[runs.adam]
    columns = {**trace.columns, "h1[5,2]/m_hat": trace.columns["h1[5,2]/v_hat"]}
    broken = tmp_path / "broken.html"
    broken.write_text(page("broken", trace._replace(columns=columns), ADAM_RULE, {}))
    opened = open_page(broken, READY)
    slide(opened, "followed", 9)
    results = [value(text) for text in opened.locator("#equations .result").all_text_contents()]
    sides = zip(NAMES["adam"], right_sides(opened), results, strict=True)
    wrong = {name for name, right, result in sides if abs(evaluated(right) - result) > uncertainty(right, result)}
    assert "m_hat" in wrong
    assert not {"m", "v", "v_hat", "x"} & wrong


@dataclass(frozen=True)
class Branching(Adagrad):
    """It needs a value, which a symbol lacks."""

    def update(self, g, slots, x, at):
        assert not hasattr(g, "free_symbols")
        return super().update(g, slots, x, at)


@needs_chromium
def test_of_a_rule_without_a_formula_the_values_are_shown_by_their_names(runs, tmp_path, open_page):
    """And of a trace that has nothing else."""
    trace, path = runs.traces[runs.adagrad], tmp_path / "own.html"
    columns = {name: column for name, column in trace.columns.items() if "[" in name or name == "cost"}
    path.write_text(page("own", trace._replace(columns=columns), Branching(0.1), {}))
    opened = open_page(path, READY)
    assert opened.locator("#histograms-section").count() == 0
    slide(opened, "followed", 3)
    assert opened.locator("#equations math").count() == 0
    shown = opened.locator("#given math").all_text_contents()
    values = {name.rpartition("/")[2]: column[3] for name, column in trace.columns.items()
              if name.startswith(f"{trace.elements[0]}/")}  # fmt: skip
    assert [re.split("[=≈]", text)[0].strip() for text in shown] == [*values]
    np.testing.assert_allclose(
        [value(re.split("[=≈]", text)[1]) for text in shown], [*values.values()], rtol=SIX_DIGITS
    )


@needs_chromium
def test_a_page_of_histograms_alone_shows_those(runs, tmp_path, open_page):
    """Would catch a script that looks for a part which is not there."""
    trace, path = runs.traces[runs.adam], tmp_path / "few.html"
    columns = {name: column for name, column in trace.columns.items() if "histogram" in name or name == "cost"}
    path.write_text(page("few", trace._replace(columns=columns), ADAM_RULE, {}))
    opened = open_page(path, READY)
    assert len(lines(opened, "histograms")) == 1
    assert opened.locator("#followed-section").count() == 0


def test_a_name_of_a_run_cannot_become_part_of_the_page(runs):
    written = page("</script><b>", runs.traces[runs.adam], ADAM_RULE, {})
    assert "</script><b>" not in written


def test_a_long_run_makes_no_long_page(runs):
    """Of 20,000 records; Plotly's script alone is 4.6 MB."""
    trace = runs.traces[runs.adam]
    often = 20_000 // len(trace.steps)
    columns = {
        name: np.tile(column, (often, 1) if column.ndim == 2 else often) for name, column in trace.columns.items()
    }
    long = trace._replace(steps=np.arange(1, len(columns["cost"]) + 1), columns=columns)
    assert len(page("long", long, ADAM_RULE, {})) < 8e6
    assert long.steps[-1] == followed(long, ADAM_RULE)[0].steps[-1]


@needs_chromium
def test_two_runs_can_be_read_on_a_laptop_and_a_phone_by_day_and_by_night_and_the_top_says_which_one_it_is(open_trace):
    opened = open_trace("adagrad")
    assert opened.inner_text("h1") == "adagrad (keras), learning rate 0.1"
    assert re.search(r"A trace of 16-8-\d+ in batches of 7, 2 epochs, seed 0", opened.inner_text("h1 + p"))
    check_page(opened)
