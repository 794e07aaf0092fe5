"""Where engines compute: what a process needs for it before it imports anything, and whether a GPU can be used here."""

from typing import Literal

Device = Literal["cpu", "gpu"]


def environment(device: Device) -> dict[str, str]:
    """Environment variables of an engine's process, to be set before it starts: importing core looks for devices.

    cpu: no library sees a GPU. gpu: JAX takes the GPU or fails, instead of computing on the CPU; and neither JAX nor
    TensorFlow takes all of the GPU's memory at its start, as both would, since several engines share it.
    """
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    return {
        "JAX_PLATFORMS": "cuda",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def check_gpu() -> None:
    """Raises InputError where TensorFlow cannot use a GPU: one sentence that says what is missing and what to do."""
    import tensorflow as tf

    from core import InputError

    if not tf.config.list_physical_devices("GPU"):
        raise InputError("TensorFlow sees no GPU.")
