"""The page in a real browser: its formulas are drawn, and all of it can be read."""

import pytest

from training.runs.around import Around
from training.views.explain.explanation import explain
from training.views.explain.page import page

from ...browsing import check_page, needs_chromium

SIZES = "[...document.querySelectorAll('{}')].map(e => e.getBoundingClientRect()).map(r => Math.min(r.width, r.height))"

KNOWN = {"mrow", "mi", "mn", "mo", "mtext", "msub", "msup", "mfrac", "msqrt", "mover", "mtable", "mtr", "mtd"}
"""Elements that MathML Core lays out; browsers show the text of others in a row."""


EXPLAINED = {
    "adam": ("keras", {}, Around()),
    "adagrad": ("optax", {}, Around()),
    "sgd": ("keras", {"learning_rate": "0.1,warmup=2"},
                     Around(clip_norm=1.0, clip_value=0.5,
                            clip_global_norm=1.0, l2=0.1, weight_decay=0.1, decay_only=("matrices",), ema=0.9)),
}  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Adam has roots, fractions and five dialects; Optax's Adagrad has cases; SGD has neither slots nor stages, and all
    around it that there is."""
    folder = tmp_path_factory.mktemp("explained")
    for rule in EXPLAINED:
        (folder / f"{rule}.html").write_text(page(explained(rule)))
    return folder


def explained(rule):
    dialect, settings, around = EXPLAINED[rule]
    return explain(rule, dialect, settings, gradients=(0.5, -1.0, 0.0), around=around)


@pytest.fixture
def open_explained(open_page, pages):
    return lambda rule, **window: open_page(pages / f"{rule}.html", "document.readyState == 'complete'", **window)


@needs_chromium
@pytest.mark.parametrize("rule", EXPLAINED)
def test_every_formula_is_drawn(open_explained, rule):
    """Would catch MathML that the browser takes for text or for nothing: sympy's own cases are in no such element."""
    opened, found = open_explained(rule), explained(rule)
    lines = len(found.formula.equations)
    dialects = sum(len(formula.equations) for formula in found.formulas.values())
    sizes = opened.evaluate(SIZES.format(".formula"))
    assert len(sizes) == lines + dialects + 3 * lines
    assert min(sizes) > 8
    parts = opened.evaluate(SIZES.format("math mi, math mn, math mfrac, math msqrt"))
    assert min(parts) > 0
    assert set(opened.evaluate("[...document.querySelectorAll('math *')].map(e => e.tagName)")) <= KNOWN
    assert "&" not in opened.inner_text("#formula")


@needs_chromium
def test_an_index_stands_below_its_letter_and_a_numerator_above_its_denominator(open_explained):
    """In whatever font there is."""
    opened = open_explained("adam")
    above = "([a, b]) => [a, b].map(e => e.getBoundingClientRect()).map(r => r.y + r.height / 2)"
    for part in ("msub", "mfrac"):
        centres = opened.evaluate(f"[...document.querySelectorAll('#formula {part}')].map(e => ({above})(e.children))")
        assert centres
        assert all(first < second for first, second in centres), part


@needs_chromium
def test_what_differs_between_dialects_is_marked(open_explained):
    opened = open_explained("adam")
    marked = {
        dialect: [opened.locator(f"#dialect-{dialect} > .{what}").count() for what in ("same", "rounding", "value")]
        for dialect in ("keras", "paper", "tf1", "torch", "optax")
    }
    assert marked == {"keras": [9, 0, 0], "paper": [5, 2, 2], "tf1": [9, 0, 0], "torch": [6, 1, 2], "optax": [5, 2, 2]}


@needs_chromium
@pytest.mark.parametrize("rule", EXPLAINED)
def test_all_of_it_can_be_read_on_a_laptop_and_a_phone_by_day_and_by_night(open_explained, rule):
    check_page(open_explained(rule))
