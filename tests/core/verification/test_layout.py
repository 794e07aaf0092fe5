"""Coordinates laid out as tensors: all of them, once each, in shapes that show a rule that looks at shapes."""

import numpy as np
import pytest

from core.verification import Layout, synthetic

KINDS = synthetic("float32", 1).kinds


def test_every_coordinate_is_in_one_tensor_and_every_tensor_has_several_kinds():
    layout = Layout.of(KINDS)
    places = np.concatenate([part.ravel() for part in layout.places.values()])
    assert sorted(places) == list(range(len(KINDS)))
    assert {len(shape) for shape in layout.shapes.values()} == {0, 1, 2, 4}
    assert layout.shapes["tall"] == layout.shapes["wide"][::-1]
    assert KINDS[int(layout.places["scalar"])] == "mixed"
    for part in layout.places.values():
        assert part.size == 1 or len({KINDS[place] for place in part.ravel()}) > 2


@pytest.mark.parametrize("count", [1, 2, 7, 13, 50])
def test_few_coordinates_have_fewer_tensors(count):
    layout = Layout.of(["one"] * count)
    assert sorted(np.concatenate([part.ravel() for part in layout.places.values()])) == list(range(count))
    assert len(layout.places["vector"]) >= 1


def test_what_is_split_is_joined_again_and_a_scalar_fills_its_tensor():
    layout, flat = Layout.of(KINDS), np.arange(3.0 * len(KINDS)).reshape(3, -1)
    parts = layout.split(flat)
    assert {name: part.shape for name, part in parts.items()} == {n: (3, *s) for n, s in layout.shapes.items()}
    np.testing.assert_array_equal(layout.joined(parts, axes=1), flat)
    filled = layout.joined({name: np.array(number) for number, name in enumerate(layout.places)})
    assert all(np.all(filled[places] == number) for number, places in enumerate(layout.places.values()))


def test_the_order_changes_and_calls_are_counted_in_it():
    layout = Layout.of(KINDS)
    orders = [layout.order(step) for step in range(10)]
    assert len({tuple(order) for order in orders}) == 10
    assert {order[0] for order in orders} == {order[-1] for order in orders} == set(layout.places)
    calls = layout.calls(orders[:4])
    assert calls[3, layout.places[orders[3][1]].ravel()[0]] == 3 * len(layout.places) + 2
