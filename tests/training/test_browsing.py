"""The check of a page finds what it is for, and nothing else."""

import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from training.output.pages import axes, chart

from .browsing import check_page, needs_chromium

PAGE = """<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><script>{script}</script>
<style>.chart > div {{ height: 400px; }} .chart text {{ fill: CanvasText !important; }}</style>
<body style="font: 16px sans-serif"><h1>Title</h1><pre style="overflow-x: auto">{program}</pre>{body}</body>"""
FAULTS = {
    '"cut" is cut': '<div style="width: 3rem; overflow-x: auto"><div style="width: 9rem">cut</div></div>',
    '"a long formula" leaves its box': '<div style="width: 3rem; white-space: nowrap">a long formula</div>',
    "the page is 2": '<table><tr><td style="min-width: 2000px">a wide cell</td></tr></table>',
    '"grey" has a contrast of': '<p style="color: #888888">grey</p>',
    '"small print" is small': '<p style="font-size: 9px">small print</p>',
}


def accuracies(form):
    """A chart whose ticks are less than a percentage point apart, in this form unless it is None."""
    figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[0.9602, 0.9611, 0.9623]))
    axes(figure, "epoch", "accuracy")
    if form:
        figure.layout.yaxis.tickformatstops = None
        figure.update_yaxes(tickformat=form)
    return chart("accuracies", figure)


@pytest.fixture
def opened(open_page, tmp_path):
    def of(body):
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(script=get_plotlyjs(), program="a long line " * 40, body=body))
        return open_page(path, "document.querySelectorAll('.ytick').length > 0")

    return of


@needs_chromium
def test_the_faults_of_a_page_are_found(opened):
    with pytest.raises(AssertionError) as found:
        check_page(opened("".join(FAULTS.values()) + accuracies(".0%")))
    for sentence in [*FAULTS, "accuracies: y has the ticks 96%, 96%"]:
        assert sentence in str(found.value)


@needs_chromium
def test_a_page_without_faults_passes(opened):
    check_page(opened(accuracies(None)))
