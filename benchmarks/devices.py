"""Where engines compute: what a process needs for it before it imports anything, and whether a GPU can be used here."""

import ctypes
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

Device = Literal["cpu", "gpu"]

_INSTALL = "pip install -e '.[gpu]'"


def environment(device: Device) -> dict[str, str]:
    """Environment variables of an engine's process, to be set before it starts: importing core looks for devices.

    cpu: no library sees a GPU. gpu: JAX takes the GPU or fails, instead of computing on the CPU; and neither JAX nor
    TensorFlow takes most of the GPU's memory at its start, as both would, since several engines share it.
    """
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    return {
        "JAX_PLATFORMS": "cuda",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def check_gpu() -> None:
    """Raises InputError where TensorFlow cannot use a GPU: one sentence of all that is missing and what to do."""
    from core import InputError  # brings TensorFlow in without its own notes about GPUs

    if lacks := missing():
        raise InputError(f"No GPU can be used: {'; '.join(lacks)}.")


def missing() -> list[str]:
    """What a run on a GPU lacks here, each with what to do; in the order in which to fix it."""
    import tensorflow as tf

    build = tf.sysconfig.get_build_info()
    nvidia = Path(tf.__file__).parents[1] / "nvidia"  # where TensorFlow looks for the packages of '.[gpu]'
    ptxas = [*os.get_exec_path(), nvidia / "cuda_nvcc" / "bin", "/usr/local/cuda/bin"]  # where XLA looks for it
    found = missing_driver(), missing_build(build), missing_libraries(build, nvidia), missing_ptxas(ptxas)
    return [what for what in found if what] or [what for what in [missing_device()] if what]


def missing_driver(library: str = "libcuda.so.1") -> str | None:
    """What to say where there is no NVIDIA driver, or one that finds no GPU."""
    cuda = load_library(library)
    if cuda is None:
        return (
            f"there is no NVIDIA driver, as {library} does not load (install one until nvidia-smi lists the GPU, or "
            "start the container with --gpus all)"
        )
    count, why = ctypes.c_int(), ctypes.c_char_p()
    error = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    if error:
        cuda.cuGetErrorString(error, ctypes.byref(why))
    if count.value:
        return None
    words = (why.value or b"it counts none").decode()
    return f"the NVIDIA driver finds no GPU: {words} (see what nvidia-smi lists and CUDA_VISIBLE_DEVICES leaves)"


def missing_build(build: Mapping[str, Any]) -> str | None:
    """What to say of a TensorFlow without CUDA; build: its `tf.sysconfig.get_build_info()`."""
    if build["is_cuda_build"]:
        return None
    return f"this TensorFlow is built for the CPU alone (pip uninstall tensorflow tensorflow-cpu, then {_INSTALL})"


def missing_libraries(build: Mapping[str, Any], nvidia: Path) -> str | None:
    """What to say where CUDA's libraries, in the versions of this build, are not the loader's nor in nvidia/*/lib."""
    if not build["is_cuda_build"]:
        return None  # it asks for none
    cuda, cudnn = (build[key].partition(".")[0] for key in ("cuda_version", "cudnn_version"))
    names = [f"libcudart.so.{cuda}", f"libcublas.so.{cuda}", f"libcudnn.so.{cudnn}"]
    absent = [name for name in names if not any(nvidia.glob(f"*/lib/{name}")) and load_library(name) is None]
    if not absent:
        return None
    return (
        f"CUDA's libraries are incomplete without {', '.join(absent)}, found neither by the loader nor beside "
        f"TensorFlow ({_INSTALL})"
    )


def missing_ptxas(folders: Sequence[str | Path]) -> str | None:
    """What to say where none of the folders has ptxas."""
    if shutil.which("ptxas", path=os.pathsep.join(map(str, folders))):
        return None
    return f"ptxas, which XLA calls to compile, is neither on PATH nor beside TensorFlow ({_INSTALL})"


def missing_device() -> str | None:
    """What to say where TensorFlow sees no GPU, for whatever reason: to be asked after the others."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return None
    return "TensorFlow sees none though driver, libraries and ptxas are there (TF_CPP_MIN_LOG_LEVEL=0 lets it say why)"


def load_library(library: str) -> ctypes.CDLL | None:
    """None where the loader does not find it."""
    try:
        return ctypes.CDLL(library)
    except OSError:
        return None
