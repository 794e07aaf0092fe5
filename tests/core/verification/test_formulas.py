"""The formulas against scalar transcriptions of the papers in 60 decimal digits, which share nothing with them."""

from decimal import Decimal

import numpy as np
import pytest

from core import InputError
from core.verification import FORMULAS
from core.verification.rounded import Precision
from tests import papers

GRADIENTS = [0.5, -1e-6, 0.0, 3.0, 2.0, -2.0, 1e-3, 40.0, -0.25, 7e-5, 0.0, 1e-8] * 5


def as_paper(name, dialect, s):
    """What the paper's transcription gives for a formula's settings."""
    if name == "adam":
        function = papers.adam_epsilon_hat if dialect in ("tf1", "keras") else papers.adam
        settings = dict(alpha=s["learning_rate"], beta_1=s["beta_1"], beta_2=s["beta_2"], epsilon=s["epsilon"])
    elif name == "adagrad":
        inside = dialect in ("keras", "optax")
        function = papers.adagrad_inside_root if inside else papers.adagrad
        settings = dict(eta=s["learning_rate"], first_accumulator=s["initial_accumulator_value"])
        settings["epsilon" if inside else "delta_0"] = s["epsilon"]
    elif name == "sgd":
        function, settings = papers.sgd, dict(alpha=s["learning_rate"])
    else:
        function = papers.adadelta
        settings = dict(alpha=s["learning_rate"], rho=s["rho"], epsilon=s["epsilon"])
    # TF1 divides 0 by 0 nowhere: its accumulator starts above 0.
    return function(GRADIENTS, **settings)


@pytest.mark.parametrize(("name", "dialect"), [(name, dialect) for name in FORMULAS for dialect in FORMULAS[name]])
def test_a_formula_gives_what_the_paper_gives(name, dialect):
    """Each step from the paper's state. 1e-17 is a hundred roundings of long double.

    1 − β^t loses digits for small t and is given where it is needed after that, as everywhere in the certificate.
    """
    formula, precision = FORMULAS[name][dialect], Precision.of(np.float64)
    slots = formula.first(np.zeros(1))
    slots = {slot: np.longdouble(value) for slot, value in slots.items()}
    for t, (g, expected) in enumerate(zip(GRADIENTS, as_paper(name, dialect, formula.settings), strict=True), start=1):
        expected = {value: np.longdouble(str(number)) for value, number in expected.items()}
        found = formula.values(t, np.array([g]), slots, precision, {n: np.array([v]) for n, v in expected.items()})
        assert found.keys() == expected.keys()
        for value, number in expected.items():
            tolerance = 1e-15 if value.startswith("correction") else 1e-17
            assert np.abs(found[value].value - number) <= tolerance * np.abs(number), (t, value)
        slots = {slot: np.array([expected[slot]]) for slot in slots}


def test_the_comparison_with_the_paper_can_fail():
    """ε̂ in the paper's place: 1 part in 300 at the first step."""
    formula, precision = FORMULAS["adam"]["keras"], Precision.of(np.float64)
    found = formula.values(1, np.array([1e-3]), formula.first(np.zeros(1)), precision)["delta"].value
    expected = papers.adam([1e-3], alpha=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)[0]["delta"]
    assert isinstance(expected, Decimal)
    assert abs(float(found[0]) / float(expected) - 1) > 1e-3


def test_terms_are_the_values_for_magnitudes():
    """Would catch a scale that cancels where the value does, which would make every error look large."""
    formula, precision = FORMULAS["adam"]["keras"], Precision.of(np.float32)
    slots = {"m": np.float32([-1.0]), "v": np.float32([1.0])}
    terms = formula.terms(5, np.float32([9.0]), slots, precision)
    assert formula.values(5, np.float32([9.0]), slots, precision)["m"].value == pytest.approx(0.0, abs=1e-6)
    assert terms["m"] == pytest.approx(1.8)
    assert terms["correction_1"] == pytest.approx(1 + 0.9**5)


def test_an_unknown_setting_is_refused():
    with pytest.raises(InputError, match="no setting 'rho'; it has: learning_rate, beta_1, beta_2, epsilon"):
        FORMULAS["adam"]["paper"].given({"rho": 0.9})
