"""`rawstep race`."""

from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ..notebook.printed import RULES as NOTEBOOK_RULES
from ..runs.around import Elementwise
from ..runs.own_options import OwnOption, by_name
from ..workloads.options import FilePath, Names, Whole


def race(
    *,
    rules: Names = NOTEBOOK_RULES,
    landscape: Names | None = None,
    steps: Annotated[Whole, Parameter(validator=Number(gte=1, lte=100_000))] = 1_000,
    around: Annotated[Elementwise, Parameter(name="*")] = Elementwise(),  # noqa: B008 - frozen
    schedule: str | None = None,
    tune: str | None = None,
    rates: Annotated[Whole, Parameter(validator=Number(gte=2, lte=1_000))] = 20,
    starts: Annotated[Whole, Parameter(validator=Number(gte=1, lte=100))] = 1,
    noise: Annotated[float, Parameter(validator=Number(gte=0, lt=float("inf")))] = 0.0,
    workload: str = "mlp",
    seed: Annotated[Whole, Parameter(validator=Number(gte=0))] = 0,
    on_nonfinite: Literal["stop", "continue"] = "stop",
    json: FilePath | None = None,
    csv: FilePath | None = None,
    out: FilePath | None = None,
    **own: OwnOption,
) -> None:
    """Race update rules from one start over landscapes of two numbers, each at a learning rate tuned by one budget.

    Plain SGD always runs too. All learning rates and starts of a rule advance together in one compiled program, in
    float64. The table shows after how many steps each rule came within a ten-thousandth of the start's cost above the
    minimum, and stayed there.

    Examples:

    - `rawstep race`: four rules on all seven landscapes, in about a minute
    - `rawstep race --landscape rosenbrock saddle --out race`: two of them; then open race/race.html
    - `rawstep race --rules adam adam:keras adagrad --landscape beale`: two dialects of Adam beside each other
    - `rawstep race --rules my_rules:Momentum --landscape quadratic`: a rule of your own, from my_rules.py
    - `rawstep race --noise 0.5 --starts 5 --landscape himmelblau`: noisy gradients, the same noise for all
    - `rawstep race --schedule cosine:1,steps=1000,warmup=50 --clip-value 1`: rates rise and fall
    - `rawstep race --tune clip_value=0.1,1,10 --landscape beale`: the limit of a clip is tuned too
    - `rawstep race --rules adam adam,clip_value=1 adam,beta_2=0.9`: with settings and pieces of their own
    - `rawstep race --landscape slice --seed 3 --json race.json`: around another network, and the figures in a file
    - `rawstep race --landscape slice --workload mlp --hidden 64 64`: of another size
    - `rawstep race --landscape slice --workload cnn --steps 100 --rates 5`: the loss of another workload takes longer

    Parameters
    ----------
    rules
        Rules of rawstep's, which `rawstep explain` lists, as their papers have them; one with a dialect, such as
        adam:keras; or module:Name for a rule of your own; each with settings, --clip-value, --l2 or --weight-decay of
        its own, as adam,beta_2=0.95,clip_value=1. The notebook's unless given.
    landscape
        rosenbrock, beale, himmelblau, rastrigin, saddle, quadratic (ill-conditioned), or slice: a plane through the
        loss around a trained workload. All unless given.
    steps
        Of each run.
    schedule
        What the tuned learning rate is multiplied by: cosine:1,steps=1000 falls from it to 0; see `rawstep train`.
    tune
        A number around every rule that is tuned beside the learning rate, and its values: clip_value, l2 or
        weight_decay, as clip_value=0.1,1,10. Each gets a grid of learning rates.
    rates
        Learning rates in each rule's grid; the same number is tried around its best.
    starts
        Further ones are drawn near the landscape's own.
    noise
        Standard deviation of the noise in each coordinate of the gradient, in each step.
    workload
        Whose loss slice is of, in a small form unless its own options say otherwise; see `rawstep train`.
    seed
        Determines noise, further starts, and what slice is trained from.
    on_nonfinite
        A rule whose cost is NaN or infinite at every learning rate: stop the race, with status 3, or continue without
        its arrival.
    json
        Write all figures to this file.
    csv
        Write the tables to this file, a row for each rule on each landscape.
    out
        Write trajectories.npz, race.json, a picture (.svg, .png) and an animation (.gif) of each landscape, and
        race.html to this folder.
    """
    from ..output.csv_table import write_csv
    from ..output.files import check_apart, check_files, check_folder
    from ..output.outputs import outputs
    from ..output.screen import Tally
    from ..runs.record import circumstances
    from ..runs.results import write_json
    from ..runs.small import small
    from ..views.race import conduct
    from ..views.race.contestants import contestants, surrounded
    from ..views.race.table import print_results, records

    names, run = conduct.known(landscape), small(workload, by_name(own), seed)
    given, tuned, amounts = surrounded(asdict(around) | {"schedule": schedule}, tune)
    chosen = contestants(rules, given, tuned, amounts[0])
    terms = conduct.Terms(steps, rates, starts, noise, seed, given, tuned, amounts)
    check_apart(json, csv, out)
    check_files(json, csv)
    if out is not None:
        check_folder(out)
    before = circumstances("rawstep", ["scipy"])
    with Tally(conduct.pieces(names, chosen)) as tally:
        races = conduct.races(names, run, chosen, terms, tally.begin, on_nonfinite)
    found = before | conduct.results(races, terms)
    with outputs() as attempt:
        attempt(print_results, found)
        if json is not None:
            attempt(write_json, json, found)
        if csv is not None:
            attempt(write_csv, csv, records(found))
        if out is not None:
            from ..views.race.folder import write_folder

            attempt(write_folder, out, races, found)
