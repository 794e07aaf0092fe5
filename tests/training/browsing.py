"""Pages of ours in a real browser: what every one of them has to hold."""

import re
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: Debian's package is chromium")


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
