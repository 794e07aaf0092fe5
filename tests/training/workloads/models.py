"""How a workload is compared with another library's network of the same values."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import torch


def in_float64(values, seed=0):
    """First values in float64; what is 0 or 1 alike, as biases are, gets values that count."""
    random = np.random.default_rng(seed)
    return {
        name: value.astype(float) if np.ptp(value) else value + random.normal(0, 0.1, value.shape)
        for name, value in values.items()
    }


def torch_pixels(images):
    """Grey levels from 0 to 1, float64, by a product in float32, as the notebook has it."""
    return (images.float() * float(np.float32(1 / 255))).double()


def cost_and_gradients(workload, values, batch):
    """By TensorFlow's tape, in float64."""
    variables = {name: tf.Variable(value) for name, value in values.items()}
    with tf.GradientTape() as tape:
        cost = workload.cost(variables, *map(tf.constant, batch))
    gradients = tape.gradient(cost, variables)
    return cost.numpy(), {name: tf.convert_to_tensor(gradient).numpy() for name, gradient in gradients.items()}


def assert_same_cost_and_gradients(workload, values, batch, other):
    """other: a scalar of PyTorch's of the values, by name, and the batch, both as tensors.

    Both compute in float64 and sum in other orders. 1e-9 of the largest element is a million roundings, and far below
    what a wrong sign, a transposed matrix or a missing factor changes.
    """
    cost, gradients = cost_and_gradients(workload, values, batch)
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    expected = other(tensors, *(torch.tensor(array) for array in batch))
    expected.backward()
    np.testing.assert_allclose(cost, expected.item(), rtol=1e-10)
    for name, tensor in tensors.items():
        largest = abs(tensor.grad.numpy()).max()
        assert largest > 0, f"{name} does nothing"
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=0, atol=1e-9 * largest, err_msg=name)


def saved_and_loaded(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        return keras.models.load_model(Path(folder) / "model.keras")


def assert_keras_is_the_same(workload, values, inputs, atol=1e-12):
    """The workload's Keras model, saved and loaded, returns the first of `outputs`, in float64 to roundings.

    It computes in the values' dtype whatever Keras's own policy is, and has copies. Returns it.
    """
    values = in_float64(values)
    variables = {name: tf.Variable(value) for name, value in values.items()}
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        built = workload.keras(variables, tf.TensorSpec([None, *inputs.shape[1:]], inputs.dtype))
    finally:
        keras.config.set_dtype_policy(policy)
    expected = next(iter(workload.outputs(variables, tf.constant(inputs)).values())).numpy()
    for variable in variables.values():
        variable.assign(tf.zeros_like(variable))
    model = saved_and_loaded(built)
    found = model.predict(inputs, verbose=0)
    assert found.dtype == np.float64
    assert (model.input_shape, model.inputs[0].dtype) == ((None, *inputs.shape[1:]), inputs.dtype.name)
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    assert np.ptp(expected) > 1e-3, "a result that shows a change"
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    return model
