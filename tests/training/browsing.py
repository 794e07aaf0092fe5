"""Pages of ours in a real browser: what every one of them has to hold."""

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: Debian's package is chromium")

WIDTHS = (1280, 390)
"""Of a laptop's window and a phone's."""
SCHEMES = ("light", "dark")
CHECKS = (Path(__file__).parent / "check_page.js").read_text()
RESIZED = (
    "[...document.querySelectorAll('.js-plotly-plot')].every(chart => "
    "Math.abs(chart._fullLayout.width - chart.clientWidth) < 2 && "
    "Math.abs(chart._fullLayout.height - chart.clientHeight) < 2)"
)


def check_page(page, widths=WIDTHS, schemes=SCHEMES):
    """Asserts that a page, as it is now, can be read: on a laptop and on a phone, by day and by night.

    Nothing scrolls sideways except programs in a pre element; no text is cut or leaves its box; ticks of an axis have
    labels that differ and do not overlap; no legend covers data; text has WCAG's contrast of 4.5, and lines 3.
    """
    found = defaultdict(list)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(RESIZED, timeout=5_000)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            for problem in page.evaluate(CHECKS, {"dark": scheme == "dark"}):
                found[problem].append(f"{width} px {scheme}")
    assert not found, "\n".join(f"{problem} ({', '.join(where)})" for problem, where in found.items())


def contrast(one, other):
    """Of two colours as browsers compute them, rgb(…): 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour):
        channels = [int(channel) / 255 for channel in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def assert_readable(page, is_dark):
    """WCAG's 4.5 for text and 3 for what a chart draws: would catch black labels on a dark page."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (contrast(ground, "rgb(0, 0, 0)") < 3) == is_dark
    colours = (
        "(selector, what) => [...document.querySelectorAll(selector)].map(e => getComputedStyle(e))"
        ".filter(style => what != 'stroke' || style.strokeWidth != '0px').map(style => style[what])"  # edges of bands
    )
    text = page.evaluate(f"({colours})('p, li, th, td, figcaption, blockquote, strong', 'color')")
    labels = page.evaluate(f"({colours})('.xtick text, .ytick text, .legendtext, .xtitle, .ytitle', 'fill')")
    lines = page.evaluate(f"({colours})('.scatterlayer .js-line', 'stroke')")
    assert {colour for colour in text + labels if contrast(colour, ground) < 4.5} == set()
    assert {colour for colour in lines if contrast(colour, ground) < 3} == set()


def assert_fits_a_phone(page):
    """Of a page opened 390 px wide: no scrolling sideways, no chart wider than it, no text below 14 px."""
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("Math.max(...[...document.querySelectorAll('.main-svg')].map(s => s.clientWidth))") <= 390
    smallest = page.evaluate("Math.min(...[...document.querySelectorAll('p, li, td')].map(e => "
                             "parseFloat(getComputedStyle(e).fontSize)))")  # fmt: skip
    assert smallest >= 14
