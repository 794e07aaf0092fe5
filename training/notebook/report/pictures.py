"""Pictures of a replication as files: curves over seeds, and what the network of the first experiment has learnt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ...output.files import make_folder
from ...output.pages.charts import FEW
from ...output.plot import write_picture
from ...runs.checkpoint import Checkpoint
from ...runs.run_folder import RunFolder
from ...workloads.images import unit_pixels
from ...workloads.perceptron import activations
from ...workloads.workload import Data
from ..place import Place
from ..scale import FIRST
from .series import Series, experiments

CAPTIONS = {
    "experiments.svg": "Cost and test accuracy of the notebook's seven experiments: the mean over seeds, and the band "
    "from the lowest to the highest of them; crosses are the costs that the notebook printed.",
    "confusion.svg": "Test images by their class and by the class that the network predicts: how many of the first "
    "experiment's are wrong, and as which class.",
    "misclassified.png": "The wrong predictions of which the network is most certain: class → prediction, certainty.",
    "weights.png": "The first layer's first 25 units as images of 28 × 28 pixels, blue below 0 and red above: their "
    "weights, which N(0,1) drowns in noise, and what training added to them. Pixels at the edge are black in every "
    "image, so nothing was added to theirs.",
    "activations.png": "Activations of the 256 units of either hidden layer, averaged over the test images of a class, "
    "units sorted by the class that excites them most.",
}
"""By file name, in the order in which they are shown."""


def draw(results: Mapping[str, Any], place: Place) -> list[Path]:
    """Draws the results and the state of the first experiment's first run; returns the pictures there are.

    Without that state, earlier pictures of it are kept.
    Raises InputError where one cannot be written.
    """
    folder = place.path / "pictures"
    make_folder(folder)
    shown = []
    if costs := experiments(results, "cost"):
        shown.append("experiments.svg")
        write_picture(folder / "experiments.svg", _curves(costs, experiments(results, "test_accuracy")))
    if first := results["parts"].get(FIRST.name):
        shown += [name for name in CAPTIONS if name != "experiments.svg"]
        if (state := place.state(first["runs"][0])).exists():
            _draw_network(folder, RunFolder(state).newest(), place.data)
    return [folder / name for name in shown if (folder / name).exists()]


def _curves(costs: list[Series], accuracies: list[Series]) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, series in ((left, costs), (right, accuracies)):
        marker = "o-" if len(series[0].epochs) <= FEW else "-"
        for one in series:
            axes.fill_between(one.epochs, one.low, one.high, color=one.colour, alpha=0.25, linewidth=0)
            axes.plot(one.epochs, one.mean, marker, color=one.colour, label=one.name, linewidth=1, markersize=4)
            if len(one.epochs) == 1:
                axes.vlines(one.epochs, one.low, one.high, color=one.colour)
                axes.set_xlim(0, 2)
            axes.plot(one.epochs[: len(one.printed)], one.printed, "x", color=one.colour, markersize=3)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    left.set_yscale("log")
    left.set_ylabel("mean cost of the epoch's batches")
    right.set_ylabel("test accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1.0))
    right.legend(fontsize="small", loc="center right")
    return figure


def _draw_network(folder: Path, state: Checkpoint, data: Data) -> None:
    images, labels = data.test
    *hidden, logits = (layer.numpy() for layer in activations(state.variables, unit_pixels(tf.constant(images))))
    before = state.settings.make_workload().variables(data, state.settings.seed)
    certainty = tf.nn.softmax(logits).numpy()
    write_picture(folder / "confusion.svg", _confusion(labels, certainty.argmax(axis=1)))
    write_picture(folder / "misclassified.png", _misclassified(images, labels, certainty))
    write_picture(folder / "weights.png", _first_layer(state.variables["h1"].numpy(), before["h1"]))
    write_picture(folder / "activations.png", _activations(hidden, labels))


def _confusion(labels: np.ndarray, named: np.ndarray) -> Figure:
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, named), 1)
    errors = counts - np.diag(np.diag(counts))
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(errors, cmap="Reds")
    for (row, column), count in np.ndenumerate(counts):
        dark = errors[row, column] > errors.max() / 2
        axes.text(column, row, count, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    axes.set(xticks=range(10), yticks=range(10), xlabel="class predicted", ylabel="class")
    return figure


def _misclassified(images: np.ndarray, labels: np.ndarray, certainty: np.ndarray) -> Figure:
    named = certainty.argmax(axis=1)
    wrong = np.flatnonzero(named != labels)
    worst = wrong[np.argsort(-certainty[wrong, named[wrong]], kind="stable")][:24]
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    for axes in figure.subplots(4, 6).flat:
        axes.set_axis_off()
    for axes, image in zip(figure.axes, worst, strict=False):
        axes.imshow(images[image].reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{labels[image]} → {named[image]}, {certainty[image].max():.0%}", fontsize=8)
    return figure


def _first_layer(weights: np.ndarray, before: np.ndarray) -> Figure:
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    grid = figure.add_gridspec(1, 2)
    for column, (title, values) in enumerate({"weights": weights, "what training added": weights - before}.items()):
        half = figure.add_subfigure(grid[column])
        half.suptitle(title)
        limit = np.abs(values[:, :25]).max()
        for axes, unit in zip(half.subplots(5, 5).flat, values.T, strict=False):
            axes.set_axis_off()
            axes.imshow(unit.reshape(28, 28), cmap="RdBu_r", vmin=-limit, vmax=limit)
    return figure


def _activations(hidden: list[np.ndarray], labels: np.ndarray) -> Figure:
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    for number, (axes, layer) in enumerate(zip(figure.subplots(len(hidden), 1), hidden, strict=True), start=1):
        means = np.array([layer[labels == label].mean(axis=0) for label in range(10)])
        order = np.lexsort((-means.max(axis=0), means.argmax(axis=0)))
        shown = axes.imshow(means[:, order], aspect="auto", interpolation="nearest", cmap="magma")
        axes.set(yticks=range(10), ylabel="class", xlabel=f"units of hidden layer {number}")
        axes.tick_params(labelsize=7)
        figure.colorbar(shown, ax=axes)
    return figure
