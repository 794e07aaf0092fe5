"""`rawstep diverge`. It imports what it needs when it runs."""

from ..runs.own_options import RuleOption, by_name
from ..views.certificate.options import Dtype, Seed, Steps
from ..workloads.options import FilePath


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
    from ..runs.small import small
    from ..views.certificate.answers import divergence, print_divergence
    from ..views.certificate.gradients import by_dtype
    from ..views.certificate.subjects import pair

    check_files(json)
    one, other = pair(a, b, by_name(rule_settings))
    narrow = one.narrow_settings or other.narrow_settings
    chosen = dtype or ("float32" if narrow else "float64")
    gradients = by_dtype(streams, steps, small("mlp", {}, seed), {chosen})[chosen]
    found = diverge(one, other, gradients)
    with outputs() as attempt:
        attempt(print_divergence, found, a, b, gradients)
        if json is not None:
            attempt(write_json, json, divergence(found, a, b))
