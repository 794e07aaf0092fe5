"""Pages that carry their scripts, styles and pictures, and ask no network for anything; and the charts on them."""

from .charts import COLOURS, axes, chart
from .page import render

__all__ = ["COLOURS", "axes", "chart", "render"]
