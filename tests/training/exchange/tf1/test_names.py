"""The names that TensorFlow 1 gives, by a real graph with several optimizers of each kind."""

import pytest

from training.exchange.tf1.names import KINDS, SlotSet, created_names, slot_set, weight_names

from .files import ADADELTA, ADAGRAD, ADAM, session_saves, tensors

ORDER = [(0, 0), (0, 1), (2, 0), (1, 0), (0, 2), (1, 1), (2, 1)]
"""The kinds, by their place in KINDS, and which of its kind each is."""


@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])
@pytest.mark.parametrize("resource", [False, True], ids=["reference variables", "resource variables"])
def test_names_are_those_of_a_graph_with_several_optimizers(tmp_path, resource, named):
    """Would catch slots taken for another slot, another optimizer or another variable."""
    makers = [(ADAM, ADAGRAD, ADADELTA)[kind] for kind, _ in ORDER]
    path = tmp_path / "rnn2.ckpt"
    found = session_saves(path, *makers, layers=(4, 3, 3, 2), resource=resource, named=named)
    variables = (weight_names if named else created_names)(3)
    theirs = {"m": "m", "v": "v", "a": "accumulator", "mean_g2": "accum", "mean_dx2": "accum_update"}
    sets = [SlotSet(KINDS[kind], number) for kind, number in ORDER]
    for ours, names in zip(sets, found, strict=True):
        assert list(names) == variables
        for variable in variables:
            slots = {slot: names[variable][theirs[slot]] for slot in ours.kind.slots}
            assert ours.slot_names(variable) == slots
    saved = set(tensors(path))
    assert saved == set(variables).union(*(ours.names(variables) for ours in sets))
    assert {slot_set(name, variables) for name in saved - set(variables)} == set(sets)
    assert [ours.name for ours in sets] == [
        "Adam",
        "Adam_2",
        "Adadelta",
        "Adagrad",
        "Adam_4",
        "Adagrad_1",
        "Adadelta_2",
    ]


def test_the_scope_of_slots_is_what_stands_before_the_longest_name_of_a_variable():
    """w alone is a variable too."""
    assert slot_set("train/net/w/Adam", ["w", "net/w"]) == SlotSet(KINDS[0], 0, "train")


@pytest.mark.parametrize(
    "name",
    ["Variable", "Variable/Momentun", "w/Adam", "Variable/Adam_01", "Variable/AdagradDA", "beta1_power_x", "Adam"],
)
def test_what_is_no_slot_of_these_optimizers_belongs_to_no_set(name):
    assert slot_set(name, ["Variable"]) is None
