"""A perceptron of raw weights as a plain Keras model.

`import core` leaves Keras alone: this module is imported by name.
"""

import keras
import numpy as np

from training.workloads.perceptron import Weights


def keras_model(weights: Weights, scale: float, dtype: str) -> keras.Sequential:
    """What `network.logits` computes of inputs·scale, and the softmax of it, in layers of Keras's own.

        Input [examples, inputs] → Rescaling → Dense relu h1 → Dense relu h2 → … → Dense softmax ho [examples, classes]

    The dense layers have the names of the weight matrices and copies of weights and biases; all layers compute in the
    weights' dtype, whatever Keras's own policy is. So the model can be saved, loaded and trained where only Keras is.

    scale: what each input is multiplied by first.
    dtype: of the inputs, such as "uint8".

    Raises Keras's own ValueError for a dtype that it lacks.
    """
    matrices = [*(f"h{layer}" for layer in range(1, len(weights) // 2)), "ho"]
    values = {name: np.asarray(value) for name, value in weights.items()}
    computed = values["ho"].dtype.name
    model = keras.Sequential(name="perceptron")
    model.add(keras.Input((len(values[matrices[0]]),), dtype=dtype, name="inputs"))
    model.add(keras.layers.Rescaling(scale, dtype=computed, name="scaled"))
    for name in matrices:
        activation = "softmax" if name == "ho" else "relu"
        layer = keras.layers.Dense(values[name].shape[1], activation, dtype=computed, name=name)
        model.add(layer)
        layer.set_weights([values[name], values[name.replace("h", "b")]])
    return model
