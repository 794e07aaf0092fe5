"""`rawstep translate`. It imports what it needs when it runs."""

import sys
from typing import Annotated

from cyclopts import Parameter

from ..runs.own_options import RuleOption, by_name
from ..views.certificate.options import Seed, Steps
from ..workloads.options import FilePath


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
    from ..runs.small import small
    from ..views.certificate.answers import print_translation, translation
    from ..views.certificate.gradients import by_dtype
    from ..views.certificate.subjects import typed_for

    check_files(json, csv)
    settings = typed_for(rule.lower(), by_name(rule_settings))
    gradients = by_dtype(None, steps, small("mlp", {}, seed), {"float64"})["float64"]
    found = translate(rule.lower(), source, target, settings, gradients)
    with outputs() as attempt:
        attempt(print_translation, found)
        if json is not None:
            attempt(write_json, json, translation(found))
        if csv is not None:
            attempt(write_csv, csv, [run._asdict() for run in found.runs])
    if not found.holds:
        sys.exit(1)
