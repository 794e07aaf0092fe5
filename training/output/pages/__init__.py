"""Pages that carry their scripts, styles and pictures, and ask no network for anything; and the charts on them."""

from .charts import COLOURS, COST, NEUTRAL, axes, chart, mode
from .mathematics import displayed, terms
from .page import render

__all__ = ["COLOURS", "COST", "NEUTRAL", "axes", "chart", "displayed", "mode", "render", "terms"]
