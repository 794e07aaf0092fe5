"""What a graph says of its optimizers, by real ones of each kind, each with settings of its own."""

import pytest

from training.exchange.tf1.checkpoint_index import CheckpointIndex
from training.exchange.tf1.graph import graph_beside
from training.exchange.tf1.names import KINDS, SlotSet

from .files import v1

train = v1.train


def decaying():
    return train.exponential_decay(0.5, train.get_or_create_global_step(), 10, 0.9)


OPTIMIZERS = {
    "Adam": (
        lambda: train.AdamOptimizer(0.01, 0.8, 0.99, 1e-4),
        dict(learning_rate=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-4, use_nesterov=False),
    ),
    "Adagrad": (lambda: train.AdagradOptimizer(0.2), dict(learning_rate=0.2)),
    "Adadelta": (
        lambda: train.AdadeltaOptimizer(0.3, 0.7, 1e-5), dict(learning_rate=0.3, rho=0.7, epsilon=1e-5),
    ),
    "Momentum": (
        lambda: train.MomentumOptimizer(0.4, 0.6, use_nesterov=True),
        dict(learning_rate=0.4, momentum=0.6, use_nesterov=True),
    ),
    "RMSProp": (
        lambda: train.RMSPropOptimizer(0.5, 0.3, 0.2, 1e-3, centered=True),
        dict(learning_rate=0.5, rho=0.3, momentum=0.2, epsilon=1e-3),
    ),
    "Ftrl": (
        lambda: train.FtrlOptimizer(0.5, -0.75, 0.2, 0.01, 0.02, l2_shrinkage_regularization_strength=0.03, beta=0.25),
        dict(learning_rate=0.5, learning_rate_power=-0.75, l1=0.01, l2=0.27, shrinkage=0.03),  # l2 has β/(2α) in it
    ),
    "GradientDescent": (lambda: train.GradientDescentOptimizer(0.6), dict(learning_rate=0.6)),
    "Adam_2": (
        lambda: train.AdamOptimizer(decaying),
        dict(learning_rate=None, beta_1=0.9, beta_2=0.999, epsilon=1e-8, use_nesterov=False),
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=["float32", "float64", "reference"])
def index(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "net.ckpt"
    dtype = "float32" if request.param == "reference" else request.param
    with v1.Graph().as_default(), v1.Session() as session:
        w = v1.get_variable("net/w", [4, 3], dtype, use_resource=request.param != "reference")
        other = v1.get_variable("other", [4, 3], dtype, use_resource=True)
        train.GradientDescentOptimizer(0.9).minimize(v1.reduce_sum(other**2), var_list=[other])
        for make, _ in OPTIMIZERS.values():
            make().minimize(v1.reduce_sum(w**2), var_list=[w])
        train.AdamOptimizer(0.9).minimize(v1.reduce_sum(other**2), var_list=[other])
        train.ExponentialMovingAverage(0.97).apply([other])
        session.run([one.initializer for one in v1.global_variables() if "Exponential" not in one.name])
        session.run(v1.global_variables_initializer())
        train.Saver().save(session, str(path))
    return CheckpointIndex(path)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_s_settings_are_its_constants(index, name):
    """Would catch those of another optimizer or another variable, and float32's 0.009999999776482582."""
    plain = SlotSet(KINDS[-1])
    of = next((of for of in index.sets if of.name == name), plain)
    assert of is not plain or name == "GradientDescent"
    assert index.graph.settings([*of.slot_names("net/w").values()], "net/w") == OPTIMIZERS[name][1]


def test_the_graph_says_whether_rmsprop_is_centered_whatever_the_number_of_slots(tmp_path):
    """Two centered ones have six slots a variable, as three others have."""
    with v1.Graph().as_default(), v1.Session() as session:
        w = v1.get_variable("w", [4, 3])
        for _ in range(2):
            train.RMSPropOptimizer(0.1, centered=True).minimize(v1.reduce_sum(w**2))
        session.run(v1.global_variables_initializer())
        train.Saver().save(session, str(tmp_path / "net.ckpt"))
    assert [slots.name for slots in CheckpointIndex(tmp_path / "net.ckpt").sets] == ["RMSProp", "RMSProp_3"]


def test_averages_and_the_order_of_creation_are_there_too(index):
    assert index.graph.decays() == [0.97]
    assert index.candidates == ["net/w", "other"]
    assert index.graph.trainable == {"net/w", "other"}
    assert index.centered
    assert graph_beside(index.path.with_name("absent.ckpt")) is None
