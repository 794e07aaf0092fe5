"""The verifier's commands: verify, diverge, translate. Each imports what it needs when it runs."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..runs.around import NOTHING, Around
from ..runs.own_options import RuleOption, by_name
from ..workloads.options import FilePath, Names, Several, Whole, numbers_by_name

if TYPE_CHECKING:
    from core.verification import Streams

Dtype = Literal["float32", "float64"]
Execution = Literal["eager", "graph", "xla-step", "xla-loop"]
Seed = Annotated[Whole, Parameter(validator=Number(gte=0))]
Steps = Annotated[Whole, Parameter(validator=Number(gte=1, lte=10_000))]


def verify(
    around: Annotated[Around, Parameter(name="*")] = NOTHING,
    *,
    rule: Names | None = None,
    dialect: Names | None = None,
    reference: Names | None = None,
    dtype: Annotated[tuple[Dtype, ...] | None, Several] = None,
    execution: Annotated[tuple[Execution, ...], Several] = ("eager", "graph", "xla-step", "xla-loop"),
    steps: Steps = 10_000,
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
    **rule_settings: RuleOption,
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
    - `rawstep verify --strict --json certificate.json`: all must be installed; the certificate in a file
    - `rawstep verify --rule adam --save-streams gradients.npz`: and keep the gradients; `--streams` replays them

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
        float32, float64. Both unless given.
    execution
        How steps run: operation by operation, as a graph a step, as an XLA program a step, or as one XLA loop.
    steps
        At most this many; eager takes 100, graph and xla-step take 1,000.
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
    from core.verification import DTYPES, REFERENCES

    from ..output.csv_table import write_csv
    from ..output.files import check_apart, check_files, write_whole
    from ..output.interruption import Interrupted, signals_noted
    from ..output.outputs import outputs
    from ..output.screen import Tally
    from ..runs.processes import cores
    from ..runs.record import circumstances
    from ..runs.results import write_json
    from ..views.certificate.gradients import save_streams as save
    from ..views.certificate.subjects import claims_about
    from ..views.certificate.tables import certificate, junit_xml, print_certificate, records
    from ..views.certificate.units import MOST_JOBS, Unit, Work, judged

    check_apart(json, csv, junit, save_streams, streams)
    check_files(json, csv, junit, save_streams)
    own = any(":" in name for name in rule or ())
    if own:
        _check_one(rule or (), reference or (), dialect or ())
    elif slots is not None or setting is not None or returns != "delta":
        raise CycloptsError("--slots, --setting and --returns are for a function of your own: --rule module:Name.")
    given = numbers_by_name(slots, "--slots"), numbers_by_name(setting, "--setting"), returns
    asked = rule, dialect or (), reference or (), by_name(rule_settings), *given, around
    claims = claims_about(*asked)
    chosen = dict.fromkeys(dtype or DTYPES)
    units = [Unit(n, one) for n, claim in enumerate(claims) for one in chosen if dtype or claim.can_be_asked(one)]
    before = circumstances("rawstep", sorted({kind.package for kind in REFERENCES.values()} | {"jax"}))
    gradients = _streams(streams, steps, seed, {unit.dtype for unit in units})
    work = Work(asked, gradients, tuple(dict.fromkeys(execution)))
    at_once = 1 if own else min(jobs or min(cores(), MOST_JOBS), len(units))
    with Tally(len(units)) as tally, signals_noted() as signals:

        def begin(unit: Unit) -> None:
            tally.begin(f"{claims[unit.claim].name} ({claims[unit.claim].dialect}), {unit.dtype}")

        def check() -> None:
            if signals:
                raise Interrupted(signals[0], "nothing was kept")

        rows = judged(claims, work, units, at_once, begin, check)
    with outputs() as attempt:
        attempt(print_certificate, rows)
        if save_streams is not None:
            attempt(save, save_streams, gradients[units[0][1]])
        if json is not None:
            attempt(write_json, json, before | {"seed": gradients[units[0][1]].seed} | certificate(rows, gradients))
        if csv is not None:
            attempt(write_csv, csv, records(rows))
        if junit is not None:
            attempt(write_whole, junit, junit_xml(rows, strict))
    failed = {"differs", "drifts", "blind"} | ({"missing", "rounding"} if strict else set())
    if any(row.verdict in failed for row in rows):
        sys.exit(1)


def diverge(
    a: str,
    b: str,
    /,
    *,
    dtype: Dtype | None = None,
    steps: Steps = 1_000,
    seed: Seed = 0,
    streams: FilePath | None = None,
    json: FilePath | None = None,
    **rule_settings: RuleOption,
) -> None:
    """Find the first step, coordinate and stage in which two implementations part by more than rounding, and why.

    Both take every step from the same state. The cause is found by changing one of them until it returns what the other
    returned. The exit status is 0 whether they part or not.

    Examples:

    - `rawstep diverge adam:keras adam:torch`: ε̂ is not ε
    - `rawstep diverge keras:adam torch:adam --epsilon 1e-8`: the libraries themselves
    - `rawstep diverge adagrad:keras adagrad:tf1`: ε inside the root, and none at all
    - `rawstep diverge my_module:MyRule adam:keras`: a rule of your own, which must have Adam's slots

    Parameters
    ----------
    a
        rule:dialect, rawstep's own; library:rule, the library's; or module:Name, yours.
    b
        The same.
    dtype
        Unless given, float64; float32 where a library keeps its settings in float32.
    steps
        The most steps to take.
    seed
        Decides the gradients.
    streams
        Gradients from a file that `rawstep verify --save-streams` wrote.
    json
        Write what was found to this file.
    """
    from core.verification import diverge

    from ..output.files import check_files
    from ..output.outputs import outputs
    from ..runs.results import write_json
    from ..views.certificate.subjects import pair
    from ..views.certificate.tables import print_divergence

    check_files(json)
    one, other = pair(a, b, by_name(rule_settings))
    narrow = one.narrow_settings or other.narrow_settings
    chosen = dtype or ("float32" if narrow else "float64")
    gradients = _streams(streams, steps, seed, {chosen})[chosen]
    found = diverge(one, other, gradients)
    with outputs() as attempt:
        attempt(print_divergence, found, a, b, gradients)
        if json is not None:
            attempt(write_json, json, {"a": a, "b": b, "divergence": None if found is None else asdict(found)})


def translate(
    rule: str,
    /,
    *,
    source: Annotated[str, Parameter(name="--from")],
    target: Annotated[str, Parameter(name="--to")],
    steps: Steps = 1_000,
    seed: Seed = 0,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    **rule_settings: RuleOption,
) -> None:
    """Print the settings of one library that do what another's do, seen to do so by running both.

    Where no constant setting does, as ε and ε̂ of Adam, this says so, prints the schedule that does, and shows how far
    apart the closest constant ends. The exit status is 1 if the runs do not agree as they should.

    Examples:

    - `rawstep translate adam --from torch --to keras`
    - `rawstep translate adagrad --from keras --to torch --learning-rate 0.01`
    - `rawstep translate adadelta --from keras --to torch`

    Parameters
    ----------
    rule
        One of rawstep's, which `rawstep explain` lists.
    source
        Whose numbers are wanted: paper, tf1, keras, torch or optax.
    target
        Whose settings are wanted.
    steps
        Steps to run.
    seed
        Decides the gradients.
    json
        Write what was found to this file.
    csv
        Write the table of the runs to this file.
    """
    from core.verification.translation import translate

    from ..output.csv_table import write_csv
    from ..output.files import check_files
    from ..output.outputs import outputs
    from ..runs.results import write_json
    from ..views.certificate.subjects import typed_for
    from ..views.certificate.tables import print_translation, translation

    check_files(json, csv)
    settings = typed_for(rule.lower(), by_name(rule_settings))
    gradients = _streams(None, steps, seed, {"float64"})["float64"]
    found = translate(rule.lower(), source, target, settings, gradients)
    with outputs() as attempt:
        attempt(print_translation, found)
        if json is not None:
            attempt(write_json, json, translation(found))
        if csv is not None:
            attempt(write_csv, csv, [run._asdict() for run in found.runs])
    if not found.holds:
        sys.exit(1)


def _streams(path: Path | None, steps: int, seed: int, dtypes: set[str]) -> "dict[str, Streams]":
    """Gradients by dtype, from a file or drawn and recorded."""
    from ..views.certificate import gradients

    if path is None:
        return gradients.streams(steps, seed)
    return {dtype: gradients.load_streams(path, dtype).first(steps) for dtype in sorted(dtypes)}


def _check_one(rule: tuple[str, ...], reference: tuple[str, ...], dialect: tuple[str, ...]) -> None:
    if len(rule) != 1 or len(reference) != 1 or dialect:
        raise CycloptsError(
            "A rule of your own is judged alone and against one reference: give --rule module:Name --reference "
            "library:rule, such as keras:Adam, or rule:dialect."
        )
