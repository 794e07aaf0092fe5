"""Pages of ours in a real browser: what every one of them has to hold."""

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
