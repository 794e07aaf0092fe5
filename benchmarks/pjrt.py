"""TensorFlow's epoch program run and timed by JAX, beside a JAX scan that does the same work.

    python pjrt.py DIR [--rounds 20] [--json FILE] [--precision default highest]

DIR is what `rawstep export --checkpoint RUN --stablehlo DIR` wrote. This file stands alone, so that it can be taken
with DIR to a machine with a GPU: it needs Python 3.11, JAX (which brings NumPy and SciPy) and Optax, neither
TensorFlow nor rawstep.

Costs come first. Each contestant's must be those that TensorFlow computed, or there is no time. Then each runs the
epoch once a round, in an order shuffled anew, from the same arguments, which are on the device before the clock starts;
it stops when all results are there. Parameters and slots are donated to each call, so that they are updated in place,
as in TensorFlow.

Exit status: 0; 1 where costs differ; 2 where something cannot be used. Each but the first says why in one sentence.
"""

import argparse
import json
import os
import platform
import shlex
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

try:
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    # JAX has no public function that runs StableHLO of another framework: jax.export takes its own calling convention
    # alone. So the client of its device compiles the text, as jax.jit lets it do; seen with JAX 0.10.2 and 0.11.2.
    from jax.extend.backend import get_compile_options
    from scipy.stats import bootstrap
except ImportError as absent:
    print(f"pjrt: {absent.name} is not installed: pip install jax optax", file=sys.stderr)
    sys.exit(2)

FORMAT = 2
"""Of DIR."""

FIRST_STEPS = 10
FIRST_COSTS_MAY_DIFFER = 1e-4
"""Of the first ten steps' mean cost. float32 rounds products in another order by less than 2e-6; a learning rate 1 %
off shows by more than 5e-4."""
TF32_MAY_DIFFER = 1e-2
"""The same where a GPU rounds the factors of products to 11 bits: in a simulation on the notebook's network that made
3e-4 to 1e-3."""
MEAN_COST_MAY_DIFFER = 0.05
"""Of the epoch. Rounding errors grow from step to step, to a tenth of single costs after some hundred; the mean stays
within a hundredth, unless there is hardly a cost left: export a run in its first epochs."""

PRECISIONS = ("default", "highest")
"""Of matrix products, as JAX calls them: on a GPU TF32 on and off, elsewhere the same."""


class UnusableError(Exception):
    """Something that was given, in one sentence."""


class DifferenceError(Exception):
    """Results are not those that TensorFlow computed; the sentence says how far."""


class Exported(NamedTuple):
    """The contents of DIR.

    text:      StableHLO.
    arguments: by name, in the program's order; results: the same, as TensorFlow computed them.
    steps:     of the epoch.
    settings:  of the run; rule: every setting of its rule.
    manifest:  all that it says.
    """

    text: str
    arguments: Mapping[str, Any]
    results: Mapping[str, Any]
    steps: int
    settings: Mapping[str, Any]
    rule: Mapping[str, Any]
    manifest: Mapping[str, Any]


@dataclass
class Contestant:
    """A compiled epoch.

    compile_seconds: of the program, from its text; of the scan, with its tracing.
    state:           the variables before the first step, on the device; a call consumes copies of them.
    run:             takes such copies, returns what `named` turns into arrays by the names of the program's results.
    differences:     from TensorFlow's results, see `differences`.
    donated:         whether a call took the copies' memory for its results.
    seconds:         of each round.
    """

    name: str
    precision: str
    compile_seconds: float
    state: Any
    run: Callable[[Any], Any]
    named: Callable[[Any], dict[str, Any]]
    differences: dict[str, float] = field(default_factory=dict)
    donated: bool = False
    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}, {self.precision} precision"

    def call(self) -> tuple[Any, float]:
        """What one call returns, and its seconds, by the clock."""
        copies = jax.block_until_ready(jax.tree.map(jnp.copy, self.state))
        begin = time.perf_counter()
        outputs = jax.block_until_ready(self.run(copies))
        seconds = time.perf_counter() - begin
        self.donated = all(copy.is_deleted() for copy in jax.tree.leaves(copies))
        return outputs, seconds


def load(folder: Path) -> Exported:
    """Reads DIR. Raises UnusableError where it is not what rawstep wrote."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] != FORMAT:
            raise UnusableError(f"{folder} is of format {manifest['format']}, this file reads {FORMAT}.")
        text = (folder / "program.mlir").read_text()
        arrays = [_arrays(folder / f"{name}.npz", manifest[name]) for name in ("arguments", "results")]
        return Exported(text, *arrays, manifest["steps"], manifest["settings"], manifest["rule"], manifest)
    except FileNotFoundError as error:
        raise UnusableError(
            f"{error.filename} is missing: give a folder that rawstep export --stablehlo wrote."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableError(f"{folder} cannot be read: {type(error).__name__}: {error}.") from error


def _arrays(path: Path, described: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    with path.open("rb") as file, np.load(file) as found:
        arrays = {each["name"]: found[each["name"]] for each in described}
    for each, array in zip(described, arrays.values(), strict=True):
        if (array.dtype.name, list(array.shape)) != (each["dtype"], each["shape"]):
            raise ValueError(f"{each['name']} in {path.name} is {array.dtype} {array.shape}, not as in the manifest")
    return arrays


def program(exported: Exported, arguments: Mapping[str, Any], precision: str) -> Contestant:
    """TensorFlow's program. Its variables are its last arguments, and replaced in place by its last results."""
    text = exported.text
    if precision == "highest":  # as TensorFlow itself writes it where TF32 is forbidden
        text = text.replace("precision = [DEFAULT, DEFAULT]", "precision = [HIGHEST, HIGHEST]")
    device = jax.devices()[0]
    begin = time.perf_counter()
    executable = device.client.compile_and_load(text, [device], get_compile_options(1, 1, [[device.id]]))
    compile_seconds = time.perf_counter() - begin
    data = [array for name, array in arguments.items() if name not in exported.results]
    return Contestant(
        "program",
        precision,
        compile_seconds,
        state=[array for name, array in arguments.items() if name in exported.results],
        run=lambda variables: executable.execute([*data, *variables]),
        named=lambda outputs: dict(zip(exported.results, map(np.asarray, outputs), strict=True)),
    )


def scan(exported: Exported, arguments: Mapping[str, Any], precision: str) -> Contestant:
    """The same epoch of a perceptron on images as a user of JAX writes it, with Optax's Adam."""
    rule = exported.rule
    weights = {name.removeprefix("weights/"): arguments[name] for name in arguments if name.startswith("weights/")}
    data = [arguments[name] for name in ("data-0", "data-1", "batches")]  # images, labels, batches
    as_they_are = data[0].dtype == np.float32 and exported.settings["workload_options"].get("pixels") != "bytes"
    level = np.float32(1 if as_they_are else 1 / 255)

    def adam(t: Any) -> optax.GradientTransformation:
        """ε stands outside the bias correction in TensorFlow 1's form, and inside in the paper's and Optax's."""
        inside = jnp.sqrt(1 - rule["beta_2"] ** t) if rule["epsilon_form"] == "epsilon-hat" else 1
        epsilon, root = rule["epsilon"] / inside, rule["epsilon_root"] / inside**2
        return optax.adam(rule["learning_rate"], rule["beta_1"], rule["beta_2"], epsilon, root)

    def cost_of(weights: Any, images: Any, labels: Any) -> Any:
        layer = images.astype(jnp.float32) * level
        for number in range(1, len(weights) // 2):
            layer = jax.nn.relu(layer @ weights[f"h{number}"] + weights[f"b{number}"])
        logits = layer @ weights["ho"] + weights["bo"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels.astype(jnp.int32)).mean()

    def epoch(state: Any, images: Any, labels: Any, batches: Any) -> Any:
        def step(state: Any, batch: Any) -> Any:
            weights, slots = state
            cost, gradients = jax.value_and_grad(cost_of)(weights, images[batch], labels[batch])
            updates, slots = adam(slots[0].count + 1).update(gradients, slots)
            return (optax.apply_updates(weights, updates), slots), cost

        return jax.lax.scan(step, state, batches)

    def named(outputs: Any) -> dict[str, Any]:
        (weights, (adam, _)), costs = jax.tree.map(np.asarray, outputs)
        slots = {"m": adam.mu, "v": adam.nu}
        return {
            "costs": costs,
            "optimizer/step": adam.count,
            **{f"weights/{name}": weight for name, weight in weights.items()},
            **{f"optimizer/slots/{name}/{slot}": slots[slot][name] for slot in slots for name in weights},
        }

    first, *rest = optax.adam(rule["learning_rate"]).init(weights)
    moments = [{name: arguments[f"optimizer/slots/{name}/{slot}"] for name in weights} for slot in "mv"]
    first = first._replace(count=arguments["optimizer/step"].astype(jnp.int32), mu=moments[0], nu=moments[1])
    state = weights, (first, *rest)
    begin = time.perf_counter()
    with jax.enable_x64(False), jax.default_matmul_precision(precision):  # 32-bit types, as JAX has them by default
        compiled = jax.jit(epoch, donate_argnums=0).lower(state, *data).compile()
    compile_seconds = time.perf_counter() - begin
    return Contestant("scan", precision, compile_seconds, state, lambda state: compiled(state, *data), named)


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, float]:
    """How far results are from TensorFlow's.

    first_costs: the largest difference of the first ten costs, in times of their mean; mean_cost: relative, of the
    epoch's; weights, slots: the largest ‖found − expected‖ / ‖expected‖ of a tensor.
    """
    off = {
        name: float(np.linalg.norm(np.ravel(found[name] - array)) / (np.linalg.norm(np.ravel(array)) or 1))
        for name, array in expected.items()
    }
    costs, first = expected["costs"], expected["costs"][:FIRST_STEPS]
    return {
        "first_costs": float(np.max(np.abs(found["costs"][:FIRST_STEPS] - first)) / np.mean(first)),
        "mean_cost": float(abs(np.mean(found["costs"], dtype=np.float64) / np.mean(costs) - 1)),
        "weights": max(value for name, value in off.items() if name.startswith("weights/")),
        "slots": max((value for name, value in off.items() if name.startswith("optimizer/slots/")), default=0.0),
    }


def check(contestant: Contestant, outputs: Any, expected: Mapping[str, Any]) -> dict[str, float]:
    """The differences of a call's results. Raises DifferenceError where they are more than roundings."""
    found = contestant.named(outputs)
    off = differences(found, expected)
    tf32 = contestant.precision == "default" and jax.devices()[0].platform == "gpu"
    first = TF32_MAY_DIFFER if tf32 else FIRST_COSTS_MAY_DIFFER
    if not off["first_costs"] <= first:
        raise DifferenceError(
            f"{contestant}: the first {FIRST_STEPS} costs differ by {off['first_costs']:.1e}; {first} is allowed."
        )
    if not off["mean_cost"] <= MEAN_COST_MAY_DIFFER:
        raise DifferenceError(
            f"{contestant}: the mean cost differs by {off['mean_cost']:.1e}; {MEAN_COST_MAY_DIFFER} is allowed."
        )
    if found["optimizer/step"] != expected["optimizer/step"]:
        raise DifferenceError(
            f"{contestant}: it is at step {found['optimizer/step']}, not {expected['optimizer/step']}."
        )
    return off


def measure(contestants: Sequence[Contestant], rounds: int, expected: Mapping[str, Any]) -> None:
    """Fills in the contestants' seconds. Each call's costs are checked, after the clock."""
    random = np.random.default_rng(0)
    for _ in range(rounds):
        for place in random.permutation(len(contestants)):
            outputs, seconds = contestants[place].call()
            check(contestants[place], outputs, expected)
            contestants[place].seconds.append(seconds)


def figures(contestant: Contestant, reference: Contestant, steps: int) -> dict[str, Any]:
    """Beside the program in the same precision: the median of the ratios within rounds, and its bootstrap interval."""
    ratios = np.divide(contestant.seconds, reference.seconds)
    interval = bootstrap((ratios,), np.median, n_resamples=10_000, method="percentile", rng=0).confidence_interval
    median = float(np.median(contestant.seconds))
    return {
        "name": contestant.name,
        "precision": contestant.precision,
        "steps_per_second": steps / median,
        "microseconds_per_step": 1e6 * median / steps,
        "times_as_long": {"median": float(np.median(ratios)), "low": float(interval.low), "high": float(interval.high)},
        "compile_seconds": contestant.compile_seconds,
        "differences": contestant.differences,
        "donated": contestant.donated,
        "seconds": contestant.seconds,
    }


LEGEND = (
    "time: of an epoch, in times of the program's in the same precision: median of the ratios within rounds,\n"
    "bootstrap 95 % interval; steps/s, µs/step: median; compile s: of the scan with its tracing."
)


def print_differences(contestants: Sequence[Contestant], steps: int) -> None:
    """A line for each contestant."""
    line = "{:<8} {:<9} {:>14} {:>10} {:>10} {:>10}"
    print(line.format("", "precision", f"first {FIRST_STEPS} costs", "mean cost", "weights", "slots"))
    for contestant in contestants:
        off = [f"{value:.1e}" for value in contestant.differences.values()]
        print(line.format(contestant.name, contestant.precision, *off))
        if not contestant.donated:
            print(f"{contestant}: nothing was donated, and so nothing updated in place.")
    print(f"relative differences from TensorFlow's results; over {steps} steps rounding errors grow.")
    print()


def print_times(rows: Sequence[Mapping[str, Any]]) -> None:
    """A line for each contestant's figures."""
    line = "{:<8} {:<9} {:>9} {:>9} {:>7} {:>11} {:>10}"
    print(line.format("", "precision", "steps/s", "µs/step", "time", "95 %", "compile s"))
    for row in rows:
        ratio = row["times_as_long"]
        print(
            line.format(
                row["name"],
                row["precision"],
                f"{row['steps_per_second']:,.0f}",
                f"{row['microseconds_per_step']:,.1f}",
                f"{ratio['median']:.2f}×",
                f"{ratio['low']:.2f}–{ratio['high']:.2f}",
                f"{row['compile_seconds']:.2f}",
            )
        )
    print(LEGEND)


def circumstances() -> dict[str, Any]:
    """When, with what, on what."""
    device, cpuinfo = jax.devices()[0], Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = ("XLA_", "JAX_", "CUDA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE", "OMP_")
    packages = ("jax", "jaxlib", "optax", "numpy", "scipy")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", *sys.argv]),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "flags": {name: value for name, value in sorted(os.environ.items()) if name.startswith(flags)},
        "device": {
            "kind": device.device_kind,
            "platform": device.platform,
            "platform_version": device.client.platform_version,
        },
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
    }


def run(options: argparse.Namespace) -> None:
    """All of it. Raises UnusableError and DifferenceError."""
    if options.json is not None and (options.json.is_dir() or not os.access(options.json.parent, os.W_OK)):
        raise UnusableError(f"{options.json} cannot be written.")
    exported = load(options.dir)
    jax.config.update("jax_enable_x64", True)  # the step counter and the costs have 64 bits
    try:
        device = jax.devices()[0]
    except (AssertionError, RuntimeError) as error:
        raise UnusableError(f"JAX finds no device; JAX_PLATFORMS is {os.environ.get('JAX_PLATFORMS')!r}.") from error
    before = circumstances()
    settings, expected, steps = exported.settings, exported.results, exported.steps
    workload, rule = settings["workload"], settings["rule"]
    print(
        f"{rule} ({settings['dialect']}), {workload} {exported.manifest['title']}, {steps} steps in batches of "
        f"{settings['batch_size']}; {device.device_kind} ({device.platform}), JAX {jax.__version__}"
    )
    compared = (workload, rule) == ("mlp", "adam")
    if not compared:
        print(f"There is no scan of {workload} by {rule} to compare with: the program runs alone.")
    arguments = dict(zip(exported.arguments, jax.device_put(list(exported.arguments.values()), device), strict=True))
    precisions = options.precision or (PRECISIONS if device.platform == "gpu" else PRECISIONS[:1])
    makers = (program, scan) if compared else (program,)
    contestants = [make(exported, arguments, precision) for precision in dict.fromkeys(precisions) for make in makers]
    for contestant in contestants:
        contestant.differences = check(contestant, contestant.call()[0], expected)
    print_differences(contestants, steps)
    measure(contestants, options.rounds, expected)
    programs = {contestant.precision: contestant for contestant in contestants if contestant.name == "program"}
    rows = [figures(contestant, programs[contestant.precision], steps) for contestant in contestants]
    print_times(rows)
    if options.json is not None:
        record = before | {"rounds": options.rounds, "exported": exported.manifest, "figures": rows}
        options.json.write_text(f"{json.dumps(record, indent=1)}\n")


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 2, found {text!r}")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="pjrt", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dir", type=Path, metavar="DIR", help="what rawstep export --stablehlo DIR wrote")
    parser.add_argument("--rounds", type=_rounds, default=20, help="samples of each; 20 unless given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples, versions, flags and device")
    parser.add_argument(
        "--precision", nargs="+", choices=PRECISIONS, help="of matrix products: both on a GPU, else default"
    )
    options = parser.parse_args(arguments)
    try:
        run(options)
    except UnusableError as error:
        sentence, status = str(error), 2
    except DifferenceError as error:
        sentence, status = str(error), 1
    except OSError as error:
        sentence, status = f"{error.filename or 'the output'}: {error.strerror}.", 2
    except KeyError as error:
        sentence, status = f"{options.dir / 'manifest.json'} has no {error}.", 2
    except RuntimeError as error:  # JAX's own, for what it cannot compile or run, and for a device that is not there
        sentence, status = f"JAX {jax.__version__}: {str(error).partition(chr(10))[0]}", 2
    except KeyboardInterrupt:
        sentence, status = "interrupted.", 130
    else:
        return
    print(f"pjrt: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
