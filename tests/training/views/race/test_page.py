"""The page of a race in a real browser: the slider moves it, names switch ways, and it asks no network."""

import json

import pytest
from playwright.sync_api import Error

from ...browsing import check_page, needs_chromium

pytestmark = needs_chromium

MARKERS = (
    "[...document.querySelectorAll('#beale-map .scatterlayer .trace .point')].map(p => p.getAttribute('transform'))"
)
LEGENDS_ARE_ABOVE = """[...document.querySelectorAll(".js-plotly-plot")].every(chart =>
  chart.clientWidth > 900 && chart.querySelector(".legend .bg").getBoundingClientRect().bottom
    <= chart.querySelector(".bglayer .bg, .plotbg").getBoundingClientRect().top + 1)"""
"""After a window has grown, too."""
WAYS = "document.querySelectorAll('#beale-map .scatterlayer .js-line').length"


@pytest.fixture
def open_race(open_page, raced):
    ready = "document.querySelectorAll('.main-svg .xtick').length >= 8"
    return lambda **window: open_page(raced / "race.html", ready, **window)


def slide(page, share):
    """Presses the slider of the first map at a share of its length."""
    rail = page.locator("#beale-map .slider-rail-touch-rect")
    rail.scroll_into_view_if_needed()
    box = rail.bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def test_the_slider_moves_every_rule_s_marker(open_race):
    page = open_race()
    at_rest = page.evaluate(MARKERS)
    assert len(at_rest) == 4, "a minimum, the start and two rules"
    slide(page, 0.02)
    page.wait_for_function(f"{MARKERS}[2] != {json.dumps(at_rest[2])} && {MARKERS}[2] === {MARKERS}[3]")
    assert "step 0" in page.locator("#beale-map .slider-group").text_content()
    begun = page.evaluate(MARKERS)
    assert begun[:2] == at_rest[:2], "minimum and start stay"
    assert begun[1] == begun[2] == begun[3] != at_rest[2], "all rules begin at the start"
    slide(page, 0.98)
    page.wait_for_function(f"JSON.stringify({MARKERS}) === JSON.stringify({json.dumps(at_rest)})")


def test_play_lets_the_markers_run_to_the_end(open_race):
    page = open_race()
    at_rest = page.evaluate(MARKERS)
    slide(page, 0.5)
    page.locator("#beale-map .updatemenu-button").first.click()
    page.wait_for_function("document.querySelector('#beale-map .slider-group').textContent.includes('step 60')")
    page.wait_for_function(f"JSON.stringify({MARKERS}) === JSON.stringify({json.dumps(at_rest)})")


def test_a_name_switches_its_way_and_marker_off_and_on(open_race):
    page = open_race()
    assert page.evaluate(WAYS) == 2
    toggle = page.locator("#beale-map .legendtoggle").first
    toggle.click()
    page.wait_for_function(f"{WAYS} === 1 && {MARKERS}.length === 3")
    toggle.click()
    page.wait_for_function(f"{WAYS} === 2 && {MARKERS}.length === 4")


def test_the_page_can_be_read_and_says_what_the_figures_say(open_race, raced):
    figures, page = json.loads((raced / "race.json").read_text()), open_race()
    text = page.inner_text("body")
    assert page.locator(".card .formula").count() >= 6 + 2, "Adam's equations and SGD's"
    assert figures["budget"] in text
    assert "The same noise was added to every gradient, N(0, 0.01²)" in text
    for of in figures["landscapes"].values():
        assert of["title"] in text
        assert f"f(x, y) = {of['formula']}" in text
        for name, row in of["rules"].items():
            assert f"{name}\t{row['rate']:.3g}\t" in text
    check_page(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function(LEGENDS_ARE_ABOVE)


def test_a_page_whose_frames_are_gone_does_not_move(browser, raced, tmp_path):
    """Planted: what the slider's test would meet. The steps' names are not those of the frames."""
    broken = tmp_path / "broken.html"
    broken.write_text((raced / "race.html").read_text().replace("Plotly.addFrames", "(() => 0)"))
    page = browser.new_page()
    page.goto(broken.as_uri())
    page.wait_for_selector("#beale-map .slider-group")
    at_rest = page.evaluate(MARKERS)
    slide(page, 0.02)
    with pytest.raises(Error):
        page.wait_for_function(f"JSON.stringify({MARKERS}) != JSON.stringify({json.dumps(at_rest)})", timeout=700)
    page.close()
