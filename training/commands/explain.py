"""The student's command `explain`. It imports what it needs when it runs."""

from typing import Annotated

from cyclopts import CycloptsError, Parameter

from ..runs.around import NOTHING, Around
from ..runs.own_options import RuleOption, by_name
from ..workloads.options import FilePath, Several

Numbers = Annotated[tuple[float, ...], Several]


def explain(
    rule: str | None = None,
    /,
    *,
    dialect: str | None = None,
    schedule: str | None = None,
    gradients: Numbers = (0.5, -1.0),
    parameter: float = 1.0,
    latex: Annotated[bool, Parameter(negative=())] = False,
    html: FilePath | None = None,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    around: Annotated[Around, Parameter(name="*")] = NOTHING,
    **rule_settings: RuleOption,
) -> None:
    """Print a rule's formula, what it remembers, how its dialects differ, and a few steps on numbers.

    With a schedule, clips, decays or an average around the rule, all of that is explained, part by part. Without a
    rule, print the rules that there are, the pieces that go around them, and the schedules.

    The formula is not typed in: the rule itself is run on symbols, and what it does with them is printed. The numbers
    are computed by the same rule in float64.

    Examples:

    - `rawstep explain`: the rules that come with rawstep, and who computes them
    - `rawstep explain adam`: as its paper writes it, and how TF1, Keras, PyTorch and Optax differ
    - `rawstep explain adam --dialect keras`: as Keras computes it
    - `rawstep explain adadelta --gradients 1e-3 1e-3 0 --parameter 0.2`: three steps on numbers of your own
    - `rawstep explain adagrad --dialect torch --learning-rate 0.1`: with a setting of your own
    - `rawstep explain adam --latex > adam.tex`: the equations alone, for a paper
    - `rawstep explain adam --html adam.html`: a page with all dialects side by side
    - `rawstep explain adam --dialect torch --clip-global-norm 1 --weight-decay 0.01`: with pieces around it
    - `rawstep explain sgd --schedule cosine:0.1,steps=100,warmup=10`: with a schedule, as it follows t
    - `rawstep explain my_rules:Momentum`: a rule of your own, from my_rules.py, or a chain such as my_rules:my_chain

    Parameters
    ----------
    rule
        One of rawstep's, or module:Name for a rule of your own, a class or an instance.
    dialect
        Whose formula and whose defaults: paper, tf1, keras, torch or optax. Unless given, the paper's; for a rule of
        your own, its own.
    schedule
        The learning rate as it follows the steps, see `rawstep train --help`; `rawstep explain` lists them.
    gradients
        The gradient of each worked step, of one coordinate.
    parameter
        The coordinate before the first of them.
    latex
        Print the formula as LaTeX, and nothing else.
    html
        Write a page with everything to this file.
    json
        Write everything to this file: formulas as LaTeX, settings, slots and worked steps.
    csv
        Write the worked steps to this file, a row for each step.
    """
    from ..output.csv_table import write_csv
    from ..output.files import check_files, write_whole
    from ..output.outputs import outputs
    from ..runs.results import write_json
    from ..views.explain.catalogue import print_catalogue
    from ..views.explain.explanation import explain
    from ..views.explain.page import page
    from ..views.explain.record import record
    from ..views.explain.terminal import aligned, print_explanation

    if rule is None:
        if any((dialect, schedule, latex, html, json, csv, rule_settings, around != NOTHING)):
            raise CycloptsError("explain needs a rule for this: `rawstep explain` lists them.")
        print_catalogue()
        return
    check_files(html, json, csv)
    settings = by_name(rule_settings)
    if schedule is not None and settings.setdefault("learning_rate", schedule) is not schedule:
        raise CycloptsError("--schedule is the learning rate's: --learning-rate cannot be given with it.")
    found = explain(rule, dialect, settings, gradients, parameter, around)
    written = page(found).encode() if html is not None else b""
    with outputs() as attempt:
        if latex:
            attempt(print, aligned(found))
        else:
            attempt(print_explanation, found)
        if json is not None:
            attempt(write_json, json, record(found))
        if csv is not None:
            attempt(write_csv, csv, [{"t": step.t, "gradient": step.gradient} | step.values for step in found.steps])
        if html is not None:
            attempt(write_whole, html, written)
