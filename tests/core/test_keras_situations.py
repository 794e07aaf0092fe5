"""A hundred situations, in each of which ours must leave the bits that Keras's own optimizer leaves.

Each is played with keras.optimizers.X(**options) and with KerasOptimizer(X.dialect("keras"), **options), from the same
seed and data, and then every variable of the model and of the optimizer is compared. The table holds every feature
with every rule, and every two features that can meet; see tests/core/situations.py for what they are.
"""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from core import RULES
from core.bridges.keras import KerasOptimizer
from tests.core.situations import (
    AXES,
    AXIS,
    OPTIONS,
    RATES,
    USUAL,
    Pair,
    Situation,
    State,
    in_pieces,
    keras_s,
    on_two_devices,
    ours,
    trained,
    untrained,
)

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

ORDER = dict(
    reason="Keras's Adadelta multiplies √(E[Δx²] + ε) by g before it divides, the rule after; and in a tf.function "
    "(1 − ρ)·(g·g) becomes ((1 − ρ)·g)·g where the square is a product, not where it is tf.square, as in Keras. Either "
    "way of either rounds twice, so E[g²] is apart by 4 roundings, Δx by 4 and half of that, E[Δx²] by 4 and twice "
    "that, and each Δx by half of the E[Δx²] before it: Δx by 8 more with each step, E[Δx²] by 100 after six.",
    units=100,
)
ROWS = dict(
    reason="Keras adds the occurrences of a row to the variable and to the slot one by one, the bridge adds them up "
    "first. A row that occurs 20 times is rounded 20 times by the one and 26 times by the other, to half a unit each; "
    "twice that, as the gradients follow the variables.",
    units=46,
)
ORDER_AND_ROWS = dict(reason=f"{ORDER['reason']} {ROWS['reason']}", units=ORDER["units"] + ROWS["units"])
ADAM_IN_FLOAT64 = dict(
    reason="Keras takes β through float32: 1 − 0.999^t is wrong by 2⁻¹⁵ of itself, its root and so Δ by 2⁻¹⁶, and six "
    "steps of 0.05 by 2⁻¹⁷, where the largest number of a tensor is at least 0.1.",
    units=2**39,
)
ADAGRAD_IN_FLOAT64 = dict(
    reason="Keras takes the accumulator's 0.1 through float32, wrong by 2⁻²⁶ of itself, its root and so Δ by 2⁻²⁷; the "
    "steps add up to less than 1, where the largest number of a tensor is at least 0.1.",
    units=2**30,
)

DEFAULT = [
    Situation("adam", "deferred xla accumulation"),
    Situation("adam", "embedding parts excluded float64_exact exponential"),
    Situation("adam", "convolution tape eager dynamic exponential"),
    Situation("adam", "frozen eager weight_decay reader weights"),
    Situation("adam", "constrained alone dynamic constant mirrored"),
    Situation("adam", "eager accumulation ema global_clipnorm late"),
    Situation("adagrad", "subclassed several xla ema constant"),
    Situation("adagrad", "embedding", **ROWS),
    Situation("adagrad", "convolution batch clipvalue multi zero"),
    Situation("adagrad", "frozen ema dynamic float64_exact halved"),
    Situation("adagrad", "normalized parts eager clipnorm halved"),
    Situation("adagrad", "constrained tape accumulation excluded warmup"),
    Situation("adagrad", "batch eager overflow mixed_float16 checkpoint"),
    Situation("adagrad", "parts overwrite weight_decay factor constant"),
    Situation("adadelta", "subclassed apply ema multi constant", **ORDER),
    Situation("adadelta", "shared several eager excluded mixed_bfloat16", **ORDER),
    Situation("adadelta", "shared parts xla global_clipnorm reader", **ORDER),
    Situation("adadelta", "constrained all eager overwrite clipvalue", **ORDER),
    Situation("sgd", "convolution alone ema factor reader"),
    Situation("sgd", "shared batch clipnorm float64_exact constant"),
    Situation("sgd", "frozen apply clipnorm file"),
    Situation("sgd", "all global_clipnorm weight_decay dynamic warmup"),
    Situation("sgd", "eager overwrite float64_exact multi reader"),
    Situation("sgd", "float64 xla"),
]
"""What `make test` and CI play, about one in four: each feature is there, and each rule in each execution."""

WHOLE = [
    Situation("adam", "deferred alone eager clipnorm warmup"),
    Situation("adam", "deferred alone weight_decay multi checkpoint"),
    Situation("adam", "deferred accumulation overflow mixed_float16 constant"),
    Situation("adam", "subclassed batch weight_decay mixed_float16 weights"),
    Situation("adam", "embedding several global_clipnorm warmup mirrored"),
    Situation("adam", "embedding batch global_clipnorm excluded halved"),
    Situation("adam", "embedding tape xla dynamic multi"),
    Situation("adam", "embedding apply eager weight_decay zero"),
    Situation("adam", "embedding alone clipvalue reader late"),
    Situation("adam", "embedding all accumulation constant weights"),
    Situation("adam", "embedding ema clipnorm mixed_bfloat16 checkpoint"),
    Situation("adam", "embedding overwrite clipnorm overflow mixed_float16"),
    Situation("adam", "embedding clipvalue dynamic mixed_float16 file"),
    Situation("adam", "convolution apply accumulation overwrite mixed_bfloat16"),
    Situation("adam", "convolution alone weight_decay overflow mixed_float16"),
    Situation("adam", "shared tape overwrite halved checkpoint"),
    Situation("adam", "shared all float64_exact checkpoint mirrored"),
    Situation("adam", "shared overflow mixed_float16 multi warmup"),
    Situation("adam", "frozen several xla overwrite zero"),
    Situation("adam", "normalized apply clipvalue float64_exact warmup"),
    Situation("adam", "constrained batch factor mixed_bfloat16 reader"),
    Situation("adam", "several clipvalue overflow mixed_float16 exponential"),
    Situation("adam", "tape clipnorm factor mixed_bfloat16 reader"),
    Situation("adam", "all mixed_bfloat16 multi halved file"),
    Situation("adam", "eager accumulation overwrite exponential mirrored"),
    Situation("adam", "float64", **ADAM_IN_FLOAT64),
    Situation("adagrad", "deferred apply global_clipnorm overflow mixed_float16"),
    Situation("adagrad", "deferred all ema excluded reader"),
    Situation("adagrad", "deferred xla accumulation overwrite clipnorm"),
    Situation("adagrad", "deferred exponential"),
    Situation("adagrad", "subclassed tape eager ema constant"),
    Situation("adagrad", "subclassed parts accumulation exponential checkpoint"),
    Situation("adagrad", "subclassed all clipnorm zero late"),
    Situation("adagrad", "subclassed overwrite excluded warmup file"),
    Situation("adagrad", "shared ema clipvalue weight_decay file"),
    Situation("adagrad", "normalized several dynamic reader checkpoint"),
    Situation("adagrad", "constrained apply xla reader checkpoint"),
    Situation("adagrad", "constrained global_clipnorm factor multi weights"),
    Situation("adagrad", "tape overflow mixed_float16 halved late"),
    Situation("adagrad", "alone xla mixed_bfloat16 exponential weights"),
    Situation("adagrad", "eager factor mixed_float16 file mirrored"),
    Situation("adagrad", "clipvalue excluded overflow mixed_float16 weights"),
    Situation("adagrad", "float64 eager", **ADAGRAD_IN_FLOAT64),
    Situation("adadelta", "deferred batch overwrite dynamic late", **ORDER),
    Situation("adadelta", "deferred tape zero checkpoint mirrored", **ORDER),
    Situation("adadelta", "subclassed parts dynamic mixed_bfloat16 zero", **ORDER),
    Situation("adadelta", "subclassed overflow mixed_float16 reader mirrored", **ORDER),
    Situation("adadelta", "subclassed accumulation clipvalue factor float64_exact", **ORDER),
    Situation("adadelta", "embedding eager", **ORDER_AND_ROWS),
    Situation("adadelta", "convolution parts ema warmup weights", **ORDER),
    Situation("adadelta", "convolution all global_clipnorm checkpoint", **ORDER),
    Situation("adadelta", "convolution xla weight_decay float64_exact late", **ORDER),
    Situation("adadelta", "shared alone float64_exact", **ORDER),
    Situation("adadelta", "frozen batch mixed_bfloat16 warmup checkpoint", **ORDER),
    Situation("adadelta", "frozen alone accumulation mixed_float16 reader", **ORDER),
    Situation("adadelta", "frozen parts overflow mixed_float16 file", **ORDER),
    Situation("adadelta", "frozen all global_clipnorm factor exponential", **ORDER),
    Situation("adadelta", "normalized all xla overflow mixed_float16", **ORDER),
    Situation("adadelta", "normalized global_clipnorm mixed_bfloat16 constant late", **ORDER),
    Situation("adadelta", "constrained several file", **ORDER),
    Situation("adadelta", "constrained clipnorm weight_decay exponential mirrored", **ORDER),
    Situation("adadelta", "tape global_clipnorm float64_exact zero file", **ORDER),
    Situation("adadelta", "apply clipnorm excluded dynamic weights", **ORDER),
    Situation("adadelta", "xla clipvalue factor halved checkpoint", **ORDER),
    Situation("adadelta", "float64 apply", **ORDER),
    Situation("sgd", "deferred several accumulation weight_decay halved"),
    Situation("sgd", "deferred several factor float64_exact weights"),
    Situation("sgd", "deferred alone xla excluded file"),
    Situation("sgd", "deferred parts clipvalue mixed_bfloat16 mirrored"),
    Situation("sgd", "subclassed alone overwrite global_clipnorm halved"),
    Situation("sgd", "embedding xla", **ROWS),
    Situation("sgd", "convolution several clipnorm multi file"),
    Situation("sgd", "convolution apply halved weights mirrored"),
    Situation("sgd", "convolution excluded mixed_float16 constant checkpoint"),
    Situation("sgd", "shared apply factor exponential late"),
    Situation("sgd", "shared accumulation dynamic zero weights"),
    Situation("sgd", "frozen tape clipvalue constant weights"),
    Situation("sgd", "frozen excluded multi late mirrored"),
    Situation("sgd", "normalized batch ema exponential mirrored"),
    Situation("sgd", "normalized tape overwrite weight_decay weights"),
    Situation("sgd", "normalized alone excluded factor zero"),
    Situation("sgd", "normalized accumulation multi exponential file"),
    Situation("sgd", "constrained parts float64_exact halved late"),
    Situation("sgd", "constrained ema overflow mixed_float16 zero"),
    Situation("sgd", "several xla factor warmup late"),
    Situation("sgd", "batch xla accumulation clipnorm file"),
    Situation("sgd", "weight_decay mixed_bfloat16"),
]
"""The others, which `pytest -m whole` plays."""

SITUATIONS = DEFAULT + WHOLE

CANNOT_MEET = {
    ("embedding", "factor"): "Keras cannot divide tf.IndexedSlices",
    ("multi", "parts"): "MultiOptimizer wants a gradient for every variable",
    ("constant", "file"): "no file holds a function",
    ("reader", "file"): "no file holds a function",
    ("mirrored", "xla"): "XLA cannot update a variable of another device",
    ("overflow", "mixed_bfloat16"): "it overflows no sooner than float32",
    ("overflow", "float64_exact"): "it does not overflow",
}
"""Features, and why; those of one axis cannot meet either.

Keras refuses some threes as well. Under MirroredStrategy, `accumulation` and `overwrite` work eagerly alone, since
their tf.cond holds what TensorFlow calls a merge_call; a `deferred` model cannot be built from a `late` checkpoint. And
a `file` lacks what `all` adds where a model has variables that are not trained.
"""


NORM_OF_ALL = Situation("sgd", "global_clipnorm mirrored")


@cache
def played_on_two_devices(default: bool) -> dict[str, Pair | str]:
    """In one process for all of them: to start it takes longer than to play one."""
    situations = [each for each in (DEFAULT if default else WHOLE) if each["place"] == "mirrored"]
    return on_two_devices(situations, [NORM_OF_ALL] if default else [])


def played(situation: Situation) -> Pair:
    if situation["place"] == "device":
        return trained(situation, ours), trained(situation, keras_s)
    result = played_on_two_devices(situation in DEFAULT)[situation.id]
    if isinstance(result, str):
        pytest.fail(result)
    return result


def differences(found: State, expected: State, units: int = 0) -> list[str]:
    """Where the two differ by a bit, or by more than `units` of the last place of a tensor's largest number."""
    lines = []
    for part in State._fields:
        tensors = getattr(found, part), getattr(expected, part)
        if len(tensors[0]) != len(tensors[1]):
            lines.append(f"{part}: {len(tensors[0])} variables, expected {len(tensors[1])}")
            continue
        for number, values in enumerate(zip(*tensors, strict=True)):
            for device, (a, b) in enumerate(zip(*values, strict=True)):
                where = f"{part}[{number}] on device {device}"
                if (a.dtype, a.shape) != (b.dtype, b.shape):
                    lines.append(f"{where}: {a.dtype} {a.shape}, expected {b.dtype} {b.shape}")
                elif a.tobytes() != b.tobytes():
                    apart = distance(a, b)
                    if not apart <= units:
                        lines.append(f"{where}: {np.sum(a != b)} of {a.size} numbers, by {apart:g} units at most")
    return lines


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """In units of the last place of the largest number of b; infinite for integers, which are not rounded."""
    if a.dtype.kind != "f":
        return float("inf")
    return float(np.max(np.abs(a - b)) / np.spacing(np.max(np.abs(b))))


def moved(found: State, before: State) -> list[bool]:
    return [a[0].tobytes() != b[0].tobytes() for a, b in zip(found.trained, before.trained, strict=True)]


@pytest.mark.parametrize(
    "situation", [pytest.param(each, id=each.id, marks=[pytest.mark.whole] * (each in WHOLE)) for each in SITUATIONS]
)
def test_ours_leaves_the_bits_that_keras_s_own_optimizer_leaves(situation):
    """Would catch whatever the bridge does otherwise than Keras in one of these situations, however small."""
    found, expected = played(situation)
    before = untrained(situation)
    assert all(moved(expected, before)), "What does not train shows nothing."
    if situation["model"] == "frozen":
        assert [v[0].tobytes() for v in found.other] == [v[0].tobytes() for v in before.other]
    assert differences(found, expected, situation.units) == []


PIECES = {"ema", "overwrite", "clipnorm", "clipvalue", "weight_decay"}
OTHERWISE = {
    ("accumulation", "ema"): "Keras averages after every batch, the piece after every step",
    ("accumulation", "overwrite"): "the same",
    ("embedding", "clipvalue"): "Keras clips each occurrence of a row, the piece takes no gradient so",
    ("mirrored", "clipnorm"): "Keras clips what each replica has, the piece the sum",
    ("mirrored", "clipvalue"): "the same",
    ("float64_exact", "weight_decay"): "Keras takes 0.1 through float32",
    ("global_clipnorm", "global_clipnorm"): "the piece takes the norm in float64",
    ("excluded", "excluded"): "a mask says that, see test_keras_bridge",
}
"""Where pieces do otherwise than Keras's options, and why."""
IN_PIECES = [
    each
    for each in SITUATIONS
    if PIECES & {*each.features.split()} and not any({*each.features.split()} >= {*two} for two in OTHERWISE)
]
SHORT = {
    "adam-frozen-eager-weight_decay-reader-weights",
    "adagrad-convolution-batch-clipvalue-multi-zero",
    "adagrad-normalized-parts-eager-clipnorm-halved",
    "adagrad-parts-overwrite-weight_decay-factor-constant",
    "adadelta-subclassed-apply-ema-multi-constant",
    "sgd-eager-overwrite-float64_exact-multi-reader",
    "sgd-frozen-apply-clipnorm-file",
}
"""Those of the default part that take a second."""


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(each, id=each.id, marks=[pytest.mark.whole] * (each.id not in SHORT))
        for each in IN_PIECES
        if each["place"] == "device"
    ],
)
def test_pieces_leave_the_bits_that_keras_s_options_leave(situation):
    """Would catch pieces in another order or form, averages and slots that an interruption loses, and `fit` that does
    not end with the averages."""
    found, expected = trained(situation, in_pieces), trained(situation, keras_s)
    order = dict(held=[])  # the optimizer's variables stand in another order
    assert differences(found._replace(**order), expected._replace(**order), situation.units) == []


def test_the_norm_that_a_piece_reads_is_that_of_all_replicas_gradients():
    """As on one device, where sums run in another order. Would catch the norm of one replica's, and of none."""
    result = played_on_two_devices(True)[NORM_OF_ALL.id]
    assert not isinstance(result, str), result
    for here, there in zip(result[0].trained, result[1].trained, strict=True):
        for device in here:
            np.testing.assert_allclose(device, there[0], rtol=0, atol=1e-6 * np.linalg.norm(there[0]))


OTHER_SETTINGS = {
    "adam": [dict(epsilon=1.01e-7), dict(beta_1=0.9001), dict(beta_2=0.9991)],
    "adagrad": [dict(epsilon=2e-7), dict(initial_accumulator_value=0.10000001)],
    "adadelta": [dict(epsilon=1.01e-7), dict(rho=0.9501)],
    "sgd": [dict(learning_rate=RATES["sgd"] * (1 + 1e-6))],
}


@pytest.mark.parametrize("rule", RATES)
def test_a_rule_of_slightly_other_settings_is_found(rule):
    situation = Situation(rule, "apply eager", **(ORDER if rule == "adadelta" else {}))
    expected = trained(situation, keras_s)
    for other in OTHER_SETTINGS[rule]:
        found = trained(situation, lambda rule, settings, options, other=other: ours(rule, settings | other, options))
        assert differences(found, expected, situation.units), other


def test_an_option_or_a_learning_rate_that_ours_ignored_would_be_found():
    """Would catch one that changes nothing as it is set here, so that a situation shows nothing of it."""
    ignored = trained(Situation("sgd", "apply eager"), ours)
    assert differences(ignored, trained(Situation("sgd", "apply eager"), keras_s)) == []
    for feature in [*OPTIONS, *AXES["rate"]]:
        if feature != USUAL["rate"]:
            assert differences(ignored, trained(Situation("sgd", f"apply eager {feature}"), keras_s)), feature


def test_an_exclusion_that_ours_ignored_would_be_found():
    ignored = trained(Situation("sgd", "apply eager weight_decay"), ours)
    assert differences(ignored, trained(Situation("sgd", "apply eager excluded"), keras_s))


def test_rows_that_are_added_up_before_they_are_squared_are_found():
    """As KerasOptimizer counts them where it is asked to; also beside the bound that Adagrad's rounding has."""
    for rule, units in {"adam": 0, "adagrad": ROWS["units"]}.items():
        situation = Situation(rule, "embedding apply eager")

        def summed(rule, settings, options):
            return KerasOptimizer(RULES[rule].dialect("keras", **settings), sparse="sum", **options)

        assert differences(trained(situation, summed), trained(situation, keras_s), units)


def test_an_overflow_skips_some_steps_and_not_all():
    states = [
        trained(Situation("sgd", f"apply eager mixed_float16 {scale}"), keras_s) for scale in ("dynamic", "overflow")
    ]
    taken = [max(int(v[0]) for v in state.held if v[0].dtype.kind == "i") for state in states]
    assert 0 < taken[1] < taken[0] == 6


def test_an_interruption_changes_nothing():
    """Would catch slots that neither ours nor Keras's finds again, which would leave the two with the same bits."""
    straight = trained(Situation("adam", "apply eager accumulation"), ours)
    for interruption in AXES["interruption"]:
        if interruption != USUAL["interruption"]:
            found = trained(Situation("adam", f"apply eager accumulation {interruption}"), ours)
            assert differences(found, straight) == [], interruption


def test_every_situation_takes_known_features_at_most_one_of_an_axis_and_has_a_name_of_its_own():
    for each in SITUATIONS:
        axes = [AXIS[feature] for feature in each.features.split()]
        assert len(set(axes)) == len(axes), each
        assert not set(each.features.split()) & set(USUAL.values()), each
        assert bool(each.reason) == bool(each.units), each
    assert len({each.id for each in SITUATIONS}) == len(SITUATIONS)


def test_every_feature_meets_every_rule_and_every_other_feature_that_it_can_meet():
    met = {frozenset(two) for each in SITUATIONS for two in combinations([each.rule, *each.features.split()], 2)}
    features = [feature for feature in AXIS if feature not in USUAL.values()]
    alone = {"float64"}  # beside other features float64_exact stands for it, where bits are equal
    wanted = {frozenset((rule, feature)) for rule in RATES for feature in features}
    for a, b in combinations(features, 2):
        if AXIS[a] != AXIS[b] and not {a, b} & alone:
            wanted.add(frozenset((a, b)))
    assert wanted - met == set(map(frozenset, CANNOT_MEET))


def test_the_default_part_has_every_feature_and_each_rule_in_each_execution():
    assert set(AXIS) - set(USUAL.values()) == {feature for each in DEFAULT for feature in each.features.split()}
    assert {(each.rule, each["execution"]) for each in DEFAULT} == {
        (rule, how) for rule in RATES for how in AXES["execution"]
    }


def test_the_risky_features_meet_in_one_situation():
    met = [set(each.features.split()) for each in SITUATIONS]
    for risky in [
        "deferred xla accumulation",
        "overwrite file",
        "ema checkpoint",
        "clipnorm embedding",
        "global_clipnorm embedding",
        "overflow mixed_float16",
        "mirrored accumulation",
    ]:
        assert any(set(risky.split()) <= features for features in met), risky
