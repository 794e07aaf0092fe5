"""`rawstep verify`. It imports what it needs when it runs."""

import sys
from typing import Annotated, Literal

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..runs.around import NOTHING, Around
from ..runs.own_options import NoSuchSettingError, OwnOption, by_name
from ..views.certificate.options import JudgedDtype, Seed, Steps
from ..workloads.options import FilePath, Names, Several, Whole, numbers_by_name

Execution = Literal["eager", "graph", "xla-step", "xla-loop"]


def verify(
    around: Annotated[Around, Parameter(name="*")] = NOTHING,
    *,
    rule: Names | None = None,
    dialect: Names | None = None,
    reference: Names | None = None,
    dtype: Annotated[tuple[JudgedDtype, ...] | None, Several] = None,
    execution: Annotated[tuple[Execution, ...], Several] = ("eager", "graph", "xla-step", "xla-loop"),
    steps: Steps = 10_000,
    workload: str | None = None,
    seed: Seed = 0,
    strict: Annotated[bool, Parameter(negative=())] = False,
    jobs: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None,
    streams: FilePath | None = None,
    save_streams: FilePath | None = None,
    slots: Names | None = None,
    setting: Names | None = None,
    returns: Literal["delta", "x"] = "delta",
    json: FilePath | None = None,
    csv: FilePath | None = None,
    junit: FilePath | None = None,
    **own: OwnOption,
) -> None:
    """Certify that a rule computes what it claims: against its formula and against the libraries, step by step.

    Every value of every step, slots and update included, is compared with the formula from one and the same state, in
    units of ε_machine·Σ|terms of the formula|, with what rounding may come to; a library itself is asked about all of
    them, or about the first 300 and every 40th after them. Then errors are planted in the rule: a row that would not
    show one of them is not certified. What was covered is printed.

    The exit status is 0 where every row is certified, differs from the reference in roundings alone, or lacks a package
    (with --strict only where every row is certified), 1 where one is not, 2 for bad input.

    Examples:

    - `rawstep verify`: every rule, dialect, reference, dtype and execution, in less than half an hour on two cores
    - `rawstep verify --rule adam --reference keras`: one of them, in less than a minute
    - `rawstep verify --rule adam --reference keras --epsilon 1e-3 --beta-2 0.9`: with settings beside those it tries
    - `rawstep verify --rule chains`: what stands around a rule, each piece alone and all together
    - `rawstep verify --rule adam --dialect keras --clip-norm 1 --weight-decay 0.01 --decay-only matrices`: your own
    - `rawstep verify --rule my_module:MyRule --reference keras:Adam`: a rule of your own, from my_module.py
    - `rawstep verify --rule my_module:MyRule --reference adam:keras`: the same against the formula, which shows stages
    - `rawstep verify --rule my_module:update --reference torch:Adam --setting epsilon=1e-6`: a NumPy function
    - `rawstep verify --rule my_module:optimizer --reference "keras:SGD(momentum=0.9)"`: any library's optimizer
    - `rawstep verify --rule my_module:MyRule --reference itself`: its executions against itself in a wider dtype
    - `rawstep verify --rule adam --dtype bfloat16 float16`: with parameters that are narrower than their slots
    - `rawstep verify --strict --json certificate.json`: all must be installed; the certificate in a file
    - `rawstep verify --rule adam --save-streams gradients.npz`: and keep the gradients; `--streams` replays them
    - `rawstep verify --rule adam --workload cnn`: along the gradients of another problem, beside the drawn ones

    Parameters
    ----------
    rule
        Those of rawstep's to judge, which `rawstep explain` lists, and chains, which are pieces around Adam and SGD;
        all unless given. With options around a rule, such as --clip-norm, it is judged with them. Or one module:Name: a
        rule, an optimizer of Keras or PyTorch, class or instance, an Optax transformation, or a function
        update(g, slots, t, x) of NumPy arrays.
    dialect
        paper, tf1, keras, torch, optax: those to keep. All unless given.
    reference
        paper (the formula in a wider dtype), keras, tf1-kernel, tf1-session, torch, optax: those to keep. For a rule of
        your own: library:rule, such as keras:Adam; rule:dialect, such as adam:keras; library:Class(options), such as
        "keras:SGD(momentum=0.9)"; itself; or module:Name, a statement of your own, such as a function of NumPy arrays.
    dtype
        float32, float64. Both unless given. Also bfloat16 and float16: parameters and gradients are of these, slots
        and masters float32, and each value is judged in float32's units.
    execution
        How steps run: operation by operation, as a graph a step, as an XLA program a step, or as one XLA loop.
    steps
        At most this many; eager takes 100, graph and xla-step take 1,000.
    workload
        The problem whose gradients are recorded, beside drawn ones, while Adam trains it: in a small form, unless its
        own options say otherwise. mlp unless given; see `rawstep train`.
    seed
        Decides the gradients.
    strict
        A reference that is not installed counts as a failure, and so do roundings other than the reference's.
    jobs
        Processes that judge rawstep's rules at a time: as many as there are cores, and at most 8, unless given. A rule
        of your own is judged in this one.
    streams
        Gradients from a file that --save-streams wrote, instead of drawn and recorded ones.
    save_streams
        Write the gradients of the first dtype to this .npz file.
    slots
        Of a function: the number each slot starts with, such as m=0 v=0. The reference's unless given.
    setting
        Of a function: the numbers it uses, such as epsilon=1e-6. The reference's, or its own defaults, unless given.
    returns
        Of a function: delta, the update, or x, the parameter after it.
    json
        Write the certificate to this file: all rows, versions, processor, flags, seed and date.
    csv
        Write the table to this file, all columns in full.
    junit
        Write it as JUnit XML to this file: a test case a row.
    """
    from core.verification import REFERENCES

    from ..output.csv_table import write_csv
    from ..output.files import check_apart, check_files, write_whole
    from ..output.interruption import Interrupted, signals_noted
    from ..output.outputs import outputs
    from ..output.screen import Tally
    from ..runs.record import circumstances
    from ..runs.results import write_json
    from ..runs.small import settings_known, small_beside
    from ..views.certificate.gradients import by_dtype
    from ..views.certificate.gradients import save_streams as save
    from ..views.certificate.subjects import claims_about
    from ..views.certificate.tables import certificate, failed, junit_xml, print_certificate, records
    from ..views.certificate.units import Work, judged, units_of

    check_apart(json, csv, junit, save_streams, streams)
    check_files(json, csv, junit, save_streams)
    if streams is not None and workload is not None:
        raise CycloptsError("--workload means nothing here: --streams has the gradients.")
    mine = any(":" in name for name in rule or ())
    if mine:
        _check_one(rule or (), reference or (), dialect or ())
    elif slots is not None or setting is not None or returns != "delta":
        raise CycloptsError("--slots, --setting and --returns are for a function of your own: --rule module:Name.")
    given = numbers_by_name(slots, "--slots"), numbers_by_name(setting, "--setting"), returns
    run, settings = small_beside(workload or "mlp", by_name(own), seed)
    asked = rule, dialect or (), reference or (), settings, *given, around
    try:
        claims = claims_about(*asked)
    except NoSuchSettingError as error:
        raise error.nor_of(run.workload, settings_known(run)) from error
    units = units_of(claims, dtype)
    before = circumstances("rawstep", sorted({kind.package for kind in REFERENCES.values()} | {"jax"}))
    gradients = by_dtype(streams, steps, run, {unit.dtype for unit in units})
    work = Work(asked, gradients, tuple(dict.fromkeys(execution)))
    with Tally(len(units)) as tally, signals_noted() as signals:

        def check() -> None:
            if signals:
                raise Interrupted(signals[0], "nothing was kept")

        rows = judged(claims, work, units, 1 if mine else jobs, tally.begin, check)
    with outputs() as attempt:
        attempt(print_certificate, rows)
        if save_streams is not None:
            attempt(save, save_streams, gradients[units[0].dtype])
        if json is not None:
            attempt(write_json, json, before | {"seed": gradients[units[0].dtype].seed} | certificate(rows, gradients))
        if csv is not None:
            attempt(write_csv, csv, records(rows))
        if junit is not None:
            attempt(write_whole, junit, junit_xml(rows, strict))
    if failed(rows, strict):
        sys.exit(1)


def _check_one(rule: tuple[str, ...], reference: tuple[str, ...], dialect: tuple[str, ...]) -> None:
    if len(rule) != 1 or len(reference) != 1 or dialect:
        raise CycloptsError(
            "A rule of your own is judged alone and against one reference: give --rule module:Name --reference "
            "library:rule, such as keras:Adam, or rule:dialect."
        )
