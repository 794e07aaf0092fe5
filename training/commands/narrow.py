"""`rawstep narrow`. It imports what it needs when it runs."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ..workloads.options import FilePath, Names, Whole


def narrow(
    *,
    rule: Names | None = None,
    steps: Annotated[Whole, Parameter(validator=Number(gte=10, lte=100_000))] = 4_000,
    json: FilePath | None = None,
    markdown: FilePath | None = None,
) -> None:
    """Show at which step each rule, as each library computes it, stops moving in bfloat16 and float16.

    A parameter starts at 1, and its gradient is the same at every step: 1, or 1.2e-4. In exact arithmetic no rule would
    ever stand still. Keras, PyTorch, Optax and TensorFlow 1's kernels are run themselves, with their default settings
    and all of their state in the dtype, as far as they make it so; rawstep with float32 masters.

    Examples:

    - `rawstep narrow`: all rules, in a quarter of an hour
    - `rawstep narrow --rule adam nadam --steps 200`: two of them, in some seconds
    - `rawstep narrow --json narrow.json --markdown narrow.md`: and in files

    Parameters
    ----------
    rule
        Those of rawstep's, which `rawstep explain` lists; all unless given.
    steps
        With the same gradient each.
    json
        Write all figures to this file, with versions and processor.
    markdown
        Write the tables to this file.
    """
    from core import RULES, InputError

    from ..output.files import check_apart, check_files, write_whole
    from ..output.outputs import outputs
    from ..output.screen import Tally
    from ..runs.record import circumstances
    from ..runs.results import write_json
    from ..views.narrow import tables
    from ..views.narrow.cells import cells, pieces

    check_apart(json, markdown)
    check_files(json, markdown)
    rules = [*dict.fromkeys(map(str.lower, rule or RULES))]
    for name in rules:
        if name not in RULES:
            raise InputError(f"There is no rule {name!r}; there are: {', '.join(RULES)}.", name, RULES)
    before = circumstances("rawstep", ["keras", "torch", "jax", "optax"])
    with Tally(pieces(rules)) as tally:
        found = [*cells(rules, steps, tally.begin)]
    record = before | tables.as_record(found, steps)
    with outputs() as attempt:
        attempt(tables.print_tables, found, steps)
        if json is not None:
            attempt(write_json, json, record)
        if markdown is not None:
            attempt(write_whole, markdown, f"{tables.markdown(record)}\n".encode())
