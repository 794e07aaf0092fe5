"""What a map shows of paths: all of them where it may grow so far, and where they leave it elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from training.views.race.charts import zero_line
from training.views.race.frame import frame, path, side, visible
from training.views.race.landscapes import FORMULAS
from training.views.race.relief import labels, power_of_ten, relief

FRAME = np.array([[0.0, 4.0], [0.0, 2.0]])
NAN = np.nan


def race_through(*points):
    """A race on Rosenbrock's valley, -2 to 2 by -1 to 3, of one rule that goes through these points."""
    return SimpleNamespace(
        landscape=FORMULAS[0], outcomes={"rule": SimpleNamespace(x=np.array(points, float)[:, np.newaxis])}
    )


@pytest.mark.parametrize(("points", "edges"), [
    ([(0, 0), (1.9, 2.9)], [[-2, 2.02], [-1, 3.02]]),
    ([(0, 0), (2.5, 0), (NAN, NAN), (0, -2.5)], [[-2, 2.62], [-2.62, 3]]),
    ([(0, 0), (1e300, -np.inf), (-1e200, 5e9)], [[-4, 2], [-1, 5]]),
], ids=["at the edge", "a little beyond", "far away"])  # fmt: skip
def test_a_map_grows_with_the_paths_up_to_half_its_width(points, edges):
    """4 wide and high: 3 % are 0.12 and a half is 2. A path that is not finite counts as far as it is."""
    np.testing.assert_allclose(frame(race_through(*points)), edges)


@pytest.mark.parametrize(("way", "line", "exits", "farthest"), [
    ([(1, 1), (2, 1.5)], [(1, 1), (2, 1.5), (NAN, NAN)], [], None),
    ([(1, 1), (3, 3), (3, 1)], [(1, 1), (2, 2), (NAN, NAN), (3, 2), (3, 1), (NAN, NAN)], [(2, 2)], (3, 3)),
    ([(-1, 1), (5, 1)], [(0, 1), (4, 1), (NAN, NAN)], [(4, 1)], (-1, 1)),
    ([(5, 0), (5, 3)], [], [], (5, 3)),
    ([(1, 1), (1e100, 1)], [(1, 1), (4, 1), (NAN, NAN)], [(4, 1)], (1e100, 1)),
    ([(1, 1), (NAN, NAN), (2, 1)], [], [], None),
], ids=["inside", "out and in again", "straight through", "outside", "far away", "not finite"])  # fmt: skip
def test_a_path_is_cut_where_it_crosses_the_edge(way, line, exits, farthest):
    seen = visible(np.array(way, float).T, FRAME)
    np.testing.assert_allclose(seen.line.T, np.reshape(line, (-1, 2)))
    np.testing.assert_allclose(seen.exits.T, np.reshape(exits, (-1, 2)))
    assert (None if seen.farthest is None else tuple(seen.farthest)) == farthest


def test_a_point_on_the_edge_has_its_side():
    assert [side(np.array(point), FRAME) for point in [(0, 1), (4, 1), (1, 0), (1, 2)]] == [0, 1, 2, 3]


def test_zero_is_drawn_below_all_costs_above_it():
    assert zero_line(np.array([3.0, 0.0, 5e-7, -1e-20, np.inf, NAN])) == pytest.approx(1e-8)
    assert zero_line(np.zeros(3)) == 1


def test_a_contour_s_label_is_the_cost_there_and_off_the_paths():
    """To 10 %, the error of straight lines between the points of the grid in a narrow valley."""
    one = race_through((-1.2, 1), (0.5, 0.5), (1, 1))
    way = path(one.outcomes["rule"].x)
    found = labels(relief(one), way)
    assert [label.text for label in found] == ["0.1", "1", "10", "100", "1000"]
    for label in found:
        assert one.landscape.costs(np.array([label.x, label.y])) == pytest.approx(float(label.text), rel=0.1)
        assert np.linalg.norm(way.T - (label.x, label.y), axis=1).min() > 0.1
    assert [power_of_ten(power) for power in (-4, -3, 3, 4)] == ["10⁻⁴", "0.001", "1000", "10⁴"]
