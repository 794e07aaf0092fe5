"""What of a machine decides the last bits of what it computes, besides the versions."""

import os
import platform
from functools import cache
from pathlib import Path

import tensorflow as tf

from .processes import cores

CPUINFO = Path("/proc/cpuinfo")
KERNELS = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "TF_DETERMINISTIC_OPS", "XLA_FLAGS", "TF_XLA_FLAGS")
"""Variables of the environment by which other kernels compute."""


def machine() -> dict[str, str | int | None]:
    """By names that a person knows: the processor and its vector instructions, for which TensorFlow and XLA choose
    kernels; the GPUs, none on most machines; the number of threads; and `KERNELS`, None where one is not set."""
    return {
        **processor(),
        "device": ", ".join(_named(gpu) for gpu in tf.config.list_physical_devices("GPU")) or "CPU",
        "number of threads": threads(),
        **{name: os.environ.get(name) or None for name in KERNELS},
    }


@cache
def processor() -> dict[str, str]:
    """From what Linux says; elsewhere its name alone. `cpuinfo` starts processes to ask, which Ctrl-C would reach."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = said.get("flags") or said.get("Features") or ""
    vectors = (flag for flag in flags.split() if flag.startswith(("avx", "amx", "fma", "asimd", "sve")))
    return {
        "processor": said.get("model name") or platform.processor() or platform.machine(),
        "set of vector instructions": " ".join(sorted(vectors)),
    }


def threads() -> int:
    """Among how many TensorFlow and XLA divide one operation, as TensorFlow decides it: what the program has set, else
    what TF_NUM_INTRAOP_THREADS says, else the cores that this process may use."""
    said = os.environ.get("TF_NUM_INTRAOP_THREADS", "").strip()
    named = int(said) if said.isascii() and said.isdigit() else 0
    return tf.config.threading.get_intra_op_parallelism_threads() or named or cores()


def _named(gpu: tf.config.PhysicalDevice) -> str:
    return tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
