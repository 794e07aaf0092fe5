"""A transformer that learns to add modulo a prime: first the pairs that it is shown, and much later the rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from core import InputError, accuracy, softmax_cross_entropy
from core.seeds import generator

from .attention import attention, normalised, sinusoids, times
from .options import Whole
from .work import Product
from .workload import Data, Examples, Variables, Workload

PLACES = 4
"""Of the tokens a, +, b, =."""
WIDENED = 4
"""Units between the two matrices of a layer's perceptron, for each of its width."""


@dataclass(frozen=True, kw_only=True)
class Transformer(Workload):
    """(a + b) mod p from the tokens a, +, b, =, by a decoder whose answer is read at the last place.

    Power, Burda, Edwards, Babuschkin & Misra, "Grokking: Generalization Beyond Overfitting on Small Algorithmic
    Datasets" (2022), appendix A.1: two layers of width 128 with four heads; AdamW at 0.001 with β₂ = 0.98, a weight
    decay of 1 and a warm-up over the first 10 steps; batches of 512. From seed 0 all training examples are right after
    some 500 steps, while fewer validation examples are than by guessing; 1 % of them are after 3,600, all after 5,100.
    Now and then a run forgets all that it knows, and learns it again in some hundred steps.

    As in the authors' code, tokens and sinusoidal places are added; each layer adds attention, then a perceptron with
    ReLU, to what it takes and normalises after each (Vaswani et al. 2017); no product has a bias. The last layer is
    computed for the last place alone, since no other is read.

    Parameters
    ----------
    modulus
        p: a and b are the numbers below it. A prime in the paper, which addition does not need.
    share
        Of all pairs, those that are trained on; half of the others are for validation, half for the test.
    width
        Numbers that stand for a token.
    heads
        Of each attention; they share the width.
    depth
        Attentions with a perceptron after each.
    """

    modulus: Whole = 97
    share: float = 0.5
    width: Whole = 128
    heads: Whole = 4
    depth: Whole = 2

    defaults: ClassVar[Mapping[str, Any]] = {
        "batch_size": 512,
        "epochs": 700,
        "rule": "adamw",
        "dialect": "torch",
        "schedule": "1e-3,warmup=10",
        "weight_decay": 1.0,
        "beta_2": 0.98,
    }
    judged_by: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True
    watched: ClassVar[Sequence[str]] = ("train", "validation")
    input_name: ClassVar[str] = "tokens"
    groups: ClassVar[Mapping[str, Sequence[str]]] = {
        "attention": ("query*", "key*", "value*", "merge*"),
        "norms": ("*gain*", "*shift*"),
    }

    @classmethod
    def small(cls) -> Self:
        return cls(modulus=11, width=8, heads=2, share=0.5)

    def data(self, seed: int) -> Data:
        """Tokens, int32 [examples, 4], and answers, int32 [examples]: all pairs, in an order drawn from the seed.

        The tokens 0 to p − 1 are numbers, p is + and p + 1 is =. a + b and b + a are in one split: else a network that
        has only learnt that they are equal would know a share of the others.
        """
        p = self.modulus
        if p < 2 or not 0 < self.share < 1:
            raise InputError(
                f"The modulus must be at least 2 and the share between 0 and 1, found {p} and {self.share}."
            )
        first, second = (axis.ravel() for axis in np.mgrid[:p, :p])
        tokens = np.stack([first, np.full(p * p, p), second, np.full(p * p, p + 1)], axis=1).astype(np.int32)
        answers = ((first + second) % p).astype(np.int32)
        pairs, pair_of = np.unique(np.minimum(first, second) * p + np.maximum(first, second), return_inverse=True)
        random = generator(seed, "pairs")
        shown = round(self.share * len(pairs))
        split = np.digitize(random.permutation(len(pairs)), [shown, shown + (len(pairs) - shown) // 2])[pair_of]
        order = random.permutation(p * p)
        parts = [order[split[order] == number] for number in range(3)]
        if min(map(len, parts)) == 0:
            raise InputError(f"A share of {self.share} leaves a split of the {len(pairs)} pairs without any.")
        return Data(
            *((tokens[part], answers[part]) for part in parts),
            chosen=f"half of the others, from seed {seed}",
            what=f"sums a + b modulo {p}",
            details=f"{p * p:,} in all",
        )

    def variables(self, data: Data, seed: int) -> dict[str, np.ndarray]:
        """tokens; query1, key1, value1, merge1, gain1, shift1, wide1, narrow1, out_gain1, out_shift1, …; answers.

        In float32, drawn in that order from the generator "weights" of `seed`: tokens from N(0, 1), matrices uniform in
        ±1/√inputs, PyTorch's own, which the authors took. Gains are 1, shifts 0.

        Raises InputError for sizes that are no positive numbers, and a width that the heads do not share evenly.
        """
        sizes = {"width": self.width, "heads": self.heads, "depth": self.depth}
        for name, size in sizes.items():
            if size < 1:
                raise InputError(f"The transformer's {name} must be at least 1, found {size}.")
        if self.width % self.heads:
            raise InputError(f"The width must be a multiple of the heads, found {self.width} and {self.heads}.")
        random, width = generator(seed, "weights"), self.width

        def matrix(inputs: int, units: int) -> np.ndarray:
            return random.uniform(-1, 1, (inputs, units)) / np.sqrt(inputs)

        values = {"tokens": random.standard_normal((self.modulus + 2, width))}
        for n in range(1, self.depth + 1):
            values |= {f"{name}{n}": matrix(width, width) for name in ("query", "key", "value", "merge")}
            values |= {f"gain{n}": np.ones(width), f"shift{n}": np.zeros(width)}
            values |= {f"wide{n}": matrix(width, WIDENED * width), f"narrow{n}": matrix(WIDENED * width, width)}
            values |= {f"out_gain{n}": np.ones(width), f"out_shift{n}": np.zeros(width)}
        values["answers"] = matrix(width, self.modulus)
        return {name: value.astype(np.float32) for name, value in values.items()}

    def logits(self, variables: Variables, tokens: tf.Tensor) -> tf.Tensor:
        """[examples, p], of tokens [examples, places]."""
        embedded = variables["tokens"]
        # A product with ones and zeros: a gather's gradient is sparse, and the decay is to act on all tokens.
        x = times(tf.one_hot(tokens, embedded.shape[0], dtype=embedded.dtype), embedded)
        x += tf.constant(sinusoids(PLACES, self.width), embedded.dtype)
        for n in range(1, self.depth + 1):
            x = self._layer({name: variables[f"{name}{n}"] for name in LAYER}, x, last=n == self.depth)
        return tf.matmul(x[:, -1], variables["answers"])

    def _layer(self, values: Variables, x: tf.Tensor, last: bool) -> tf.Tensor:
        """A layer's result [examples, places, width], of the last place alone where that is all that is read."""
        asking = x[:, -1:] if last else x
        queries, keys, held = times(asking, values["query"]), times(x, values["key"]), times(x, values["value"])
        attended = times(attention(queries, keys, held, self.heads), values["merge"])
        x = normalised(asking + attended, values["gain"], values["shift"])
        widened = tf.nn.relu(times(x, values["wide"]))
        return normalised(x + times(widened, values["narrow"]), values["out_gain"], values["out_shift"])

    def cost(self, variables: Variables, *batch: tf.Tensor) -> tf.Tensor:
        """The mean softmax cross-entropy of the answers."""
        tokens, answers = batch
        return softmax_cross_entropy(self.logits(variables, tokens), answers)

    def metrics(self, variables: Variables, *batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """accuracy: the share of pairs whose largest logit is the sum's."""
        tokens, answers = batch
        return {"accuracy": accuracy(self.logits(variables, tokens), answers)}

    def outputs(self, variables: Variables, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """probabilities, float32 [examples, p], of each answer; answers, int64 [examples], the most probable ones."""
        estimates = self.logits(variables, inputs)
        return {"probabilities": tf.nn.softmax(estimates), "answers": tf.argmax(estimates, axis=1)}

    def check_fit(self, variables: Variables, examples: Examples) -> None:
        tokens, answers = examples
        known, sums = variables["tokens"].shape[0], variables["answers"].shape[1]
        if tokens.max() >= known or answers.max() >= sums:
            raise InputError(
                f"The transformer takes tokens below {known} and answers below {sums}, found them up to {tokens.max()} "
                f"and {answers.max()}."
            )

    def keras(self, variables: Variables, inputs: tf.TensorSpec) -> Any:
        """Embedding, MultiHeadAttention, LayerNormalization and Dense, named after the first of their values."""
        from .keras_models import Layers

        layers = Layers(variables)
        tokens = layers.inputs(inputs)
        x = layers.embedded(tokens, "tokens", sinusoids(PLACES, self.width))
        for n in range(1, self.depth + 1):
            attended = layers.attended(x, [f"{name}{n}" for name in ("query", "key", "value", "merge")], self.heads)
            x = layers.normalised(x + attended, f"gain{n}", f"shift{n}")
            narrowed = layers.dense(layers.dense(x, f"wide{n}", None, "relu"), f"narrow{n}", None)
            x = layers.normalised(x + narrowed, f"out_gain{n}", f"out_shift{n}")
        return layers.model(tokens, layers.dense(x[:, -1], "answers", None, "softmax"), "transformer")

    def products(self, data: Data) -> Sequence[Product]:
        places, width, tokens = PLACES, self.width, self.modulus + 2
        counted = [Product(places * tokens * width, tokens * width, places * width, first=True)]
        for n in range(1, self.depth + 1):
            asking = 1 if n == self.depth else places
            square, attended = width * width, Product(asking * places * width, 0, asking * places * self.heads)
            counted += [Product(number * square, square, number * width) for number in (asking, places, places)]
            counted += [
                attended,
                attended._replace(outputs=asking * width),
                Product(asking * square, square, asking * width),
            ]
            counted += [
                Product(asking * square * WIDENED, square * WIDENED, asking * units)
                for units in (WIDENED * width, width)
            ]
        return [*counted, Product(width * self.modulus, width * self.modulus, self.modulus)]

    def title(self, data: Data) -> str:
        return f"a + b mod {self.modulus}: {self.depth}×{self.width}, {self.heads} heads"

    def followed(self, data: Data, variables: Variables) -> list[str]:
        """A number of the token 0, and a weight of the answer 0."""
        return ["tokens[0,0]", "answers[0,0]"]


LAYER = ("query", "key", "value", "merge", "gain", "shift", "wide", "narrow", "out_gain", "out_shift")
