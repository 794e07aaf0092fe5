"""`rawstep trace`."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ..runs.distribution.options import ALONE, Placement
from ..runs.own_options import OwnOption, by_name
from ..runs.settings import OwnProcess
from ..workloads.options import FilePath, Names, Several, Whole
from .starting import start_tensorflow

Folders = Annotated[tuple[FilePath, ...], Several]


@dataclass(frozen=True, kw_only=True)
class ShortRun(OwnProcess):
    """A run of fewer epochs: what a rule does inside shows early."""

    epochs: Annotated[Whole, Parameter(validator=Number(gte=1))] = 3


def trace(
    settings: Annotated[ShortRun, Parameter(name="*")] = ShortRun(),
    *,
    every: Annotated[Whole, Parameter(validator=Number(gte=1))] = 10,
    figures: Names = ("norms", "shares", "rates", "histograms"),
    layers: Names | None = None,
    values: Names | None = None,
    follow: Names | None = None,
    out: FilePath = Path("trace"),
    beside: Folders | None = None,
    cost: bool = True,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    placement: Placement = ALONE,
    **own: OwnOption,
) -> None:
    """Train with the flight recorder on, and write what the rule did: to a file, for TensorBoard, and as a page.

    The recorder works inside the compiled loop and leaves training alone, to the bit. The folder gets trace.npz with
    all figures, events for TensorBoard, and trace.html: curves of every layer, histograms that a slider moves, and
    single parameters followed through the rule's formula with their own numbers in it. Ctrl-C ends the run and keeps
    what was recorded.

    Examples:

    - `rawstep trace`: Adam for three epochs, every tenth step; then open trace/trace.html
    - `rawstep trace --rule adagrad --out adagrad --beside trace`: another rule, and the first one's curves beside it
    - `rawstep trace --every 1 --epochs 1 --follow "h1[300,5]" "bo[3]"`: every step, and two parameters of your choice
    - `rawstep trace --figures norms --layers h1 ho --values m_hat denominator`: less, and stages by their names
    - `rawstep trace --clip-global-norm 1 --schedule cosine:1e-3,steps=1650 --ema 0.99`: how often a clip acts, the
      rate, and how far the weights are from their average
    - `rawstep trace --workload cnn --epochs 1`: another problem; `--workload cnn --help` lists its options
    - `rawstep trace --rule my_rules:Momentum --out momentum`: a rule of your own, from my_rules.py
    - `tensorboard --logdir trace/events`: the same figures in TensorBoard

    Parameters
    ----------
    every
        Record the first step, and every N-th after it.
    figures
        norms (of gradient, update, parameters and slots), shares (of zero gradients, of elements where ε outweighs),
        rates (effective learning rates), histograms.
    layers
        Variables to record, by name, such as h1 and bo of mlp. All unless given.
    values
        Further slots and stages of the rule, by name: the norm of each.
    follow
        Parameters to record in full, such as "h1[300,5]". Unless given, those that the workload suggests: of mlp a
        weight of the pixel that varies the most, and a bias of the output.
    out
        Write trace.npz, events and trace.html to this folder; an earlier trace in it is replaced.
    beside
        Folders of earlier traces, to be shown beside this one on its page.
    cost
        Measure afterwards, on copies of what was trained, what recording costs.
    json
        Write settings, costs and metrics, the last record and the measured cost to this file.
    csv
        Write all records but histograms to this file, a row for each recorded step of each layer.
    """
    settings.refuse(["keep_best"], "a trace keeps no checkpoints")
    start_tensorflow(placement)
    settings = settings.with_options(by_name(own))
    from core import NonFiniteError

    from ..output.csv_table import write_csv
    from ..output.files import check_apart, check_files
    from ..output.interruption import Interrupted, signals_noted
    from ..output.outputs import outputs
    from ..runs.distribution.distribution import Distribution
    from ..runs.results import write_json
    from ..runs.trainer import Trainer
    from ..views.trace.conduct import Watch, traced
    from ..views.trace.elements import revealing_elements
    from ..views.trace.figures import clipped
    from ..views.trace.folder import check_trace_folder, write_folder, written_in
    from ..views.trace.table import print_trace
    from ..views.trace.trace import load

    distribution = Distribution(placement)
    if distribution.is_chief:
        check_apart(out, json, csv, *(beside or ()))
        check_trace_folder(out)
        check_files(json, csv)
    others = {folder: load(folder) for folder in beside or ()}
    data = settings.data()
    watch = Watch(every, figures, layers, values or (), follow or revealing_elements(settings, data))
    losses_named = partial(distribution.losses_named, lambda: "nothing was kept")
    with losses_named():
        distribution.begin(settings, data, {"--cost": cost, "--every": every})
        trainer = Trainer(settings, data, watch.of, distribution)
    with outputs() as attempt:
        with signals_noted() as signals, losses_named():
            found, signal = traced(trainer, watch, cost, signals)
            distribution.leave()
            if not distribution.is_chief:
                return
            written = attempt(write_folder, out, found, trainer.rule, others)
        if trainer.finished:
            attempt(print_trace, found, written_in(out) if written else [])
        if json is not None:
            attempt(write_json, json, {**found.about, "clipped": clipped(found.columns), "last_record": found.last})
        if csv is not None:
            attempt(write_csv, csv, found.rows)
    kept = f"the {len(found.steps)} records made until then are in {out}"
    if signal is not None:
        raise Interrupted(signal, kept)
    if not trainer.finished and (error := trainer.guard.found):
        raise NonFiniteError(error.step, f"{error.what}; {kept}")
