"""The transformer against PyTorch's own layers, its Keras model, its products, its pairs, and what it refuses."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from core import InputError
from training.workloads.attention import sinusoids
from training.workloads.transformer import Transformer
from training.workloads.work import Product

from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SMALL = Transformer(modulus=7, share=0.5, width=8, heads=2, depth=2)


def in_torch(values, tokens, answers, causal=True):
    """All places of all layers, by PyTorch's attention and layer norm."""
    x = functional.embedding(tokens, values["tokens"])
    x = x + torch.tensor(sinusoids(tokens.shape[1], x.shape[2]))
    for n in range(1, SMALL.depth + 1):
        of = {name.removesuffix(str(n)): value for name, value in values.items()}
        query, key, value = (
            (x @ of[name]).unflatten(2, (SMALL.heads, -1)).transpose(1, 2) for name in ("query", "key", "value")
        )
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        x = x + attended.transpose(1, 2).flatten(2) @ of["merge"]
        x = functional.layer_norm(x, [SMALL.width], of["gain"], of["shift"])
        x = x + (x @ of["wide"]).relu() @ of["narrow"]
        x = functional.layer_norm(x, [SMALL.width], of["out_gain"], of["out_shift"])
    return functional.cross_entropy(x[:, -1] @ values["answers"], answers.long())


def test_cost_and_gradients_are_those_of_pytorch_s_layers():
    """Would catch a place that sees later ones, heads that are mixed up, a last layer of another place."""
    data = SMALL.data(0)
    values, batch = in_float64(SMALL.variables(data, seed=1)), [array[:9] for array in data.train]
    assert_same_cost_and_gradients(SMALL, values, batch, in_torch)
    with pytest.raises(AssertionError):
        assert_same_cost_and_gradients(SMALL, values, batch, lambda *all: in_torch(*all, causal=False))


def test_places_are_vaswani_s_sinusoids():
    """By hand: sin and cos of 3 / 10000^0 and of 3 / 10000^(2/4)."""
    np.testing.assert_allclose(sinusoids(4, 4)[3], [np.sin(3), np.cos(3), np.sin(0.03), np.cos(0.03)], rtol=1e-12)


def test_a_keras_model_of_keras_s_own_layers_says_the_same():
    """Would catch heads that Keras splits otherwise, places that are left out, and a layer of our own."""
    data = SMALL.data(0)
    assert_keras_is_the_same(SMALL, SMALL.variables(data, seed=1), data.test[0])


def test_products_are_counted_by_hand():
    """Of modulus 7, width 8 and two heads: 4 places of 9 tokens; layer 1 at 4 places, layer 2 at the last."""
    assert SMALL.products(SMALL.data(0)) == [
        Product(4 * 9 * 8, 72, 32, first=True),
        *[Product(4 * 64, 64, 32)] * 3, Product(4 * 4 * 8, 0, 32), Product(4 * 4 * 8, 0, 32), Product(4 * 64, 64, 32),
        Product(4 * 256, 256, 128), Product(4 * 256, 256, 32),
        Product(64, 64, 8), *[Product(4 * 64, 64, 32)] * 2, Product(4 * 8, 0, 8), Product(4 * 8, 0, 8),
        Product(64, 64, 8), Product(256, 256, 32), Product(256, 256, 8),
        Product(8 * 7, 56, 7),
    ]  # fmt: skip


def test_all_pairs_are_in_one_split_each_with_their_sums():
    """Would catch splits that overlap, or a + b shown and b + a asked, which would look like a rule that is learnt."""
    data, other = Transformer().data(0), Transformer().data(1)
    tokens = np.concatenate([split[0] for split in data.splits.values()])
    assert len(np.unique(tokens, axis=0)) == len(tokens) == 97**2
    shares = [len(split[0]) / 97**2 for split in data.splits.values()]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.01)
    mirrored = [{tuple(pair) for pair in split[0][:, [2, 1, 0, 3]].tolist()} for split in data.splits.values()]
    assert mirrored == [{tuple(pair) for pair in split[0].tolist()} for split in data.splits.values()]
    for (first, plus, second, equals), answer in zip(*(array[:50] for array in data.train), strict=True):
        assert (plus, equals) == (97, 98)
        assert answer == (first + second) % 97
    assert not np.array_equal(data.train[0], other.train[0])


def test_the_paper_s_network_has_about_400_000_parameters_without_tokens_and_answers():
    """Power et al. 2022, appendix A.1.2: "about 4·10⁵ non-embedding parameters"."""
    values = Transformer().variables(Transformer().data(0), 0)
    assert sum(value.size for name, value in values.items() if name not in ("tokens", "answers")) == 394_240


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (dict(modulus=1), "at least 2 and the share between 0 and 1, found 1 and 0.5"),
        (dict(share=1.0), "found 97 and 1.0"),
        (dict(modulus=2, share=0.9), "leaves a split of the 3 pairs without any"),
        (dict(heads=3), "a multiple of the heads, found 128 and 3"),
        (dict(depth=0), "depth must be at least 1, found 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, sentence):
    workload = Transformer(**settings)
    with pytest.raises(InputError, match=sentence):
        workload.variables(workload.data(0), 0)
