"""Pictures of a race: contours with the trajectories on them, at rest and moving."""

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from ...output.pages import COLOURS
from ...output.plot import letters
from .conduct import Race
from .frame import path, side, visible
from .relief import Relief, frames

MILLISECONDS, LAST = 120, 1500
"""The duration of each picture of the animation, and of the last one."""


def map_of(one: Race, relief: Relief) -> tuple[Figure, list[Line2D]]:
    """A figure of the first start's trajectories, and their lines, a rule after another."""
    figure = Figure(figsize=(6.4, 5.4), dpi=90, layout="constrained")
    axes = figure.subplots()
    levels, decades = relief.contours(), relief.decades()
    shades = axes.contourf(relief.x, relief.y, relief.height, levels=levels, cmap="Greys_r", alpha=0.55, extend="both")
    axes.contour(relief.x, relief.y, relief.height, levels=levels, colors="#555", linewidths=0.4, linestyles="solid")
    bar = figure.colorbar(shades, ax=axes, label="cost above the minimum", fraction=0.05, pad=0.02)
    bar.set_ticks(list(decades), labels=list(decades.values()))
    (left, right), (low, high) = relief.frame
    axes.set(xlim=(left, right), ylim=(low, high), xlabel="x", ylabel="y")
    lines = []
    for number, (rule, outcome) in enumerate(one.outcomes.items()):
        colour, way = colours(one)[number], path(outcome.x)
        lines += axes.plot(
            *way, color=colour, lw=1.6, marker="o", markersize=ring(one, number), markerfacecolor="none",
            markevery=[-1], label=letters(f"{rule}, rate {outcome.chosen}"),
        )  # fmt: skip
        for exit_ in visible(way, relief.frame).exits.T:
            axes.plot(*exit_, "<>v^"[side(exit_, relief.frame)], color=colour, markersize=8, clip_on=False)
    for name, points, symbol in (("minimum", one.landscape.minima, "*"), ("start", [one.landscape.start], "s")):
        axes.plot(*np.transpose(points), symbol, color="#111", markersize=6, ls="", label=name)
    axes.set_title(one.landscape.title)
    legend = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize="small", frameon=False)
    for handle in legend.get_lines():
        handle.set_markersize(6)
    return figure, lines


def ring(one: Race, number: int) -> int:
    """The diameter of a rule's marker, a ring: those of all rules can be seen around one point, and the point too."""
    return 7 + 3 * (len(one.outcomes) - number)


def animation(one: Race, relief: Relief) -> bytes:
    """The same as a GIF: the background is drawn once, then the lines as far as they have come."""
    figure, lines = map_of(one, relief)
    canvas, ways = FigureCanvasAgg(figure), [np.asarray(line.get_xydata()) for line in lines]
    for line in lines:
        line.set_animated(True)
    canvas.draw()
    background, axes = canvas.copy_from_bbox(figure.bbox), figure.axes[0]
    counter = axes.text(0.02, 0.97, "", transform=axes.transAxes, va="top", animated=True)
    pictures = []
    for step in frames(len(ways[0]) - 1):
        canvas.restore_region(background)
        counter.set_text(f"step {step:,}")
        for line, way in zip(lines, ways, strict=True):
            line.set_data(*way[: step + 1].T)
            axes.draw_artist(line)
        axes.draw_artist(counter)
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    # The last picture has all colours; a palette for each picture would double the file.
    palette = pictures[-1].quantize(method=Image.Quantize.MAXCOVERAGE)
    first, *others = (picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures)
    written, durations = BytesIO(), [*[MILLISECONDS] * len(others), LAST]
    first.save(written, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return written.getvalue()


def colours(one: Race) -> list[str]:
    """One for each rule, the page's too."""
    return [COLOURS[number % len(COLOURS)] for number in range(len(one.outcomes))]
