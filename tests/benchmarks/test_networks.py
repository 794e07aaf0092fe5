"""Networks of other libraries beside rawstep's own, in this process: what they compute, never how fast."""

import pickle
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from benchmarks.cli import main
from benchmarks.engines import build, engines_of, usual_engines
from benchmarks.engines.own import OwnEngine
from benchmarks.work import TrainingWork
from core import InputError
from training.workloads.cnn import CNN
from training.workloads.mlp import MLP
from training.workloads.transformer import Transformer

WORKS = [
    TrainingWork(MLP(hidden=(8, 6), init="he"), 20),
    TrainingWork(CNN(channels=(2, 3)), 20),
    TrainingWork(Transformer(modulus=11, width=8, heads=2), 20),
]
PEERS = ("keras-graph-epoch", "jax-step", "torch-fused", "torch-channels-last")


@pytest.fixture(scope="module", autouse=True)
def denormals_kept():
    """PyTorch's engines flush denormals, which the tests that share this process need."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module", params=WORKS, ids=[work.name for work in WORKS])
def work(request):
    return request.param


@pytest.fixture(scope="module")
def batches(work):
    return work.sampler().take(4)


@pytest.fixture(scope="module")
def ours(work, batches):
    return costs("graph", work, batches)


def costs(name, work, batches):
    """Of the first step, whose cost the first values alone decide, and of three more, the mean."""
    engine = build(name, work)
    return np.array([engine.train(engine.prepare(part)) for part in (batches[:1], batches[1:])])


@pytest.mark.parametrize("peer", PEERS)
def test_each_librarys_network_computes_what_rawstep_does_and_takes_the_same_steps(work, batches, ours, peer):
    """Would catch kernels and heads in another order, another mask or padding, a layer left out, another rate."""
    if peer == "torch-channels-last" and work.name != "cnn":
        assert peer not in engines_of(work.name)
        return
    theirs = costs(peer, work, batches)
    np.testing.assert_allclose(theirs[0], ours[0], rtol=2e-6)
    np.testing.assert_allclose(theirs[1], ours[1], rtol=work.first_steps_may_differ)


def test_another_rate_would_be_seen(work, batches, ours):
    planted = costs("graph", replace(work, learning_rate=1.1 * work.learning_rate), batches)
    assert planted[0] == ours[0]
    assert abs(planted[1] / ours[1] - 1) > work.first_steps_may_differ


def test_a_work_reaches_another_process_without_its_data(work):
    assert work.data
    sent = pickle.dumps(work)
    assert len(sent) < 1_000
    assert pickle.loads(sent) == work


def test_ceilings_are_of_products_of_matrices_alone():
    assert [bool(work.ceilings) for work in WORKS] == [True, False, False]


def test_usual_engines_have_the_workload():
    for name in ("mlp", "cnn", "transformer", "my_task:MyTask"):
        assert {*usual_engines(name)} <= {*engines_of(name)}
    assert usual_engines("my_task:MyTask") == ["rawstep", "keras-step"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--workload", "cnn", "--engines", "rawstep", "frozen-step"],
            "The engine frozen-step has no cnn; of cnn there are: rawstep, rawstep-streamed, ",
        ),
        (["--hiden", "8"], "compare has no option --hiden, nor has mlp such a setting. Did you mean --hidden?"),
        (["--workload", "cnn", "--hidden", "8"], "compare has no option --hidden, nor has cnn such a setting. Its "),
        (["--hidden", "1.5"], "--hidden must be a whole number, found '1.5'."),
    ],
)
def test_what_a_workload_lacks_is_refused_before_anything_starts(arguments, sentence, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["compare", *arguments])
    assert capsys.readouterr().err.startswith(f"rawstep-bench: {sentence}")


def test_help_lists_the_settings_of_a_workload(capsys):
    with suppress(SystemExit):
        main(["compare", "--workload", "transformer", "--help"])
    assert "--modulus" in capsys.readouterr().out


def test_an_own_engine_that_returns_no_function_is_refused():
    with pytest.raises(InputError, match=r"planted:nothing must return a function train\(batches\), found None\."):
        OwnEngine(WORKS[0], "tests.benchmarks.planted:nothing")


def test_an_own_engine_may_prepare_its_batches():
    engine = OwnEngine(WORKS[0], "tests.benchmarks.planted:prepared")
    assert engine.train(engine.prepare(np.zeros((3, 20), np.int32))) == 3


@pytest.mark.parametrize(("pixels", "level"), [("unit", 1 / 16), ("bytes", 15)])
def test_images_of_floats_are_to_each_library_what_they_are_said_to_be(tmp_path, pixels, level):
    """Would catch a library that divides what is from 0 to 1 by 255, and one that leaves what is up to 255."""
    images, labels = load_digits(return_X_y=True)
    images = (images * level).reshape(-1, 8, 8)
    arrays = {"x_train": images[:1500], "y_train": labels[:1500], "x_test": images[1500:], "y_test": labels[1500:]}
    np.savez(tmp_path / "digits.npz", **arrays)
    work = TrainingWork(MLP(data_dir=tmp_path / "digits.npz", pixels=pixels, hidden=(8,), init="he"), 20)
    batches = work.sampler().take(4)
    expected = costs("graph", work, batches)
    for peer in ("tf1-session", "keras-graph-epoch", "jax-step", "torch-fused"):
        found = costs(peer, work, batches)
        np.testing.assert_allclose(found, expected, rtol=work.first_steps_may_differ, err_msg=peer)
