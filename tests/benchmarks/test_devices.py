"""What keeps engines off a GPU and lets them on it; on a machine without one, whose lacks are real."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from benchmarks import devices
from core import InputError

ROOT = Path(__file__).parents[2]
BUILD = {"is_cuda_build": True, "cuda_version": "98.5.1", "cudnn_version": "97"}
"""Of a TensorFlow that asks for versions of CUDA which no loader has."""


def python(program: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment)


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch(0o755)
    return folder


without_gpu = pytest.mark.skipif(devices.missing_driver() is None, reason="this machine has a GPU and its driver")


@without_gpu
def test_where_there_is_no_gpu_one_sentence_says_what_is_missing_and_what_to_do():
    with pytest.raises(InputError) as refusal:
        devices.check_gpu()
    sentence = str(refusal.value)
    assert sentence.startswith(f"No GPU can be used: {devices.missing_driver()}")
    assert sentence.endswith(").")
    assert "\n" not in sentence
    assert "TensorFlow sees none" not in sentence, "of which the driver is reason enough"


@without_gpu
def test_all_that_is_missing_is_named_in_the_order_in_which_to_fix_it(monkeypatch, tmp_path):
    """PATH leads to an empty folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = devices.missing()
    kinds = ["NVIDIA driver", "built for the CPU", "CUDA's libraries", "ptxas"]
    places = [next((i for i, kind in enumerate(kinds) if kind in what), None) for what in missing]
    assert None not in places
    assert places == sorted(places)
    assert places[0] == 0


def test_a_driver_that_does_not_load_is_missed():
    assert devices.missing_driver("libcuda.so.99").startswith("there is no NVIDIA driver, as libcuda.so.99 does not")


def test_a_tensorflow_for_the_cpu_alone_is_named_with_what_to_install():
    """So says `tf.sysconfig.get_build_info()` of tensorflow-cpu, which has no versions of CUDA."""
    build = {"is_cuda_build": False, "is_rocm_build": False, "is_tensorrt_build": False}
    assert "pip install -e '.[gpu]'" in devices.missing_build(build)
    assert devices.missing_libraries(build, Path("nowhere")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="TensorFlow has CUDA on Linux alone")
def test_this_tensorflow_says_whether_it_has_cuda():
    assert (devices.missing_build(tf.sysconfig.get_build_info()) is None) == tf.test.is_built_with_cuda()


def test_each_library_is_looked_for_in_the_version_of_the_build(tmp_path):
    names = ["libcudart.so.98", "libcublas.so.98", "libcudnn.so.97"]
    assert ", ".join(names) in devices.missing_libraries(BUILD, tmp_path)
    for package, name in zip(["cuda_runtime", "cublas", "cudnn"], names, strict=True):
        assert name in devices.missing_libraries(BUILD, tmp_path)
        put(tmp_path / package / "lib", name)
    assert devices.missing_libraries(BUILD, tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the C library goes by another name")
def test_a_library_that_the_loader_finds_is_not_missed():
    assert devices.load_library("libc.so.6") is not None
    assert devices.load_library("libc.so.98") is None


def test_ptxas_is_found_in_any_of_the_folders_and_only_if_it_can_be_run(tmp_path):
    folders = [tmp_path / "path", tmp_path / "nvidia" / "cuda_nvcc" / "bin"]
    for folder in folders:
        assert devices.missing_ptxas(folders).startswith("ptxas, which XLA calls")
        put(folder, "ptxas")
        assert devices.missing_ptxas(folders) is None
        (folder / "ptxas").chmod(0o644)
    assert devices.missing_ptxas([]) is not None


def test_a_gpu_that_tensorflow_does_not_see_is_the_last_thing_to_say():
    assert (devices.missing_device() is None) == bool(tf.config.list_physical_devices("GPU"))


def test_on_a_gpu_jax_leaves_memory_to_others_and_never_computes_on_the_cpu():
    """Would catch times of JAX's CPU code among a GPU's, and names of variables that JAX does not read."""
    done = python(
        "import jax\n"
        "from jaxlib.xla_client import generate_pjrt_gpu_plugin_options\n"
        "print(generate_pjrt_gpu_plugin_options()['preallocate'])\n"
        "print({device.platform for device in jax.devices()})",
        **devices.environment("gpu"),
    )
    preallocates, *platforms = done.stdout.splitlines()
    assert preallocates == "False"
    assert platforms == ["{'gpu'}"] or done.returncode != 0


SETTINGS = """
import json
from benchmarks.engines import build
from benchmarks.engines.torch_adam import prepare_torch
from benchmarks.work import TrainingWork
from training.workloads.mlp import MLP
import jax, tensorflow as tf, torch

def product(x):
    return x @ x

def precision(lowered):
    return next((word for word in ("highest", "high") if word in lowered.lower()), None)

platforms = [device.platform for device in jax.devices()]
print(json.dumps([tf.config.list_physical_devices("GPU"), platforms, torch.cuda.is_available()]))
for device, tf32 in (("cpu", False), ("gpu", False), ("gpu", True)):
    work = TrainingWork(MLP(hidden=(8,)), device=device, tf32=tf32)
    build("jax-scan", work)
    torch_device = prepare_torch(work)
    compiled = tf.function(product, jit_compile=True).experimental_get_compiler_ir(tf.ones((2, 2)))(stage="hlo")
    lowered = jax.jit(product).lower(jax.numpy.ones((2, 2))).as_text()
    print(json.dumps({
        "tensorflow": [tf.config.experimental.tensor_float_32_execution_enabled(), precision(compiled)],
        "jax": [jax.config.jax_default_matmul_precision, precision(lowered)],
        "torch": [torch.backends.cuda.matmul.allow_tf32, str(torch_device)],
    }))
"""


@pytest.fixture(scope="module")
def on_the_cpu():
    """What the three libraries say in a process with the CPU's variables: of GPUs, and of three workloads' settings."""
    done = python(SETTINGS, **devices.environment("cpu"))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_on_the_cpu_no_library_sees_a_gpu(on_the_cpu):
    """Where there is one, would catch a library that the variables do not keep off it."""
    assert on_the_cpu[0] == [[], ["cpu"], False]


def test_on_a_gpu_all_multiply_in_float32_or_all_in_tf32_and_on_the_cpu_nothing_is_set(on_the_cpu):
    """Without a GPU the settings can be read too, and what XLA receives: that it may use TF32 unless "highest"."""
    assert on_the_cpu[1:] == [
        {"tensorflow": [True, None], "jax": [None, None], "torch": [False, "cpu"]},
        {"tensorflow": [False, "highest"], "jax": ["float32", "highest"], "torch": [False, "cuda"]},
        {"tensorflow": [True, None], "jax": ["tensorfloat32", "high"], "torch": [True, "cuda"]},
    ]
