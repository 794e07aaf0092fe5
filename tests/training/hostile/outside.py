"""Commands with hostile names, one after another in one process: prints how each ended, and all that it said.

python -m tests.training.hostile.outside
"""

import atexit
import gc
import json
import os
import sys
import traceback

OWN = ["--workload", "tests.training.hostile.evil:Evil", "--execution", "graph"]
COMMANDS = {
    "train": ["train", *OWN, "--checkpoint", "out/run", "--json", "out/run.json", "--csv", "out/run.csv",
              "--plot", "out/run.svg", "--tensorboard", "out/board"],
    "resume": ["train", "--checkpoint", "out/run", "--resume", "--epochs", "3"],
    "evaluate": ["evaluate", "--checkpoint", "out/run", "--json", "out/evaluated.json", "--csv", "out/evaluated.csv"],
    "trace": ["trace", *OWN, "--no-cost", "--out", "out/trace", "--json", "out/trace.json", "--csv", "out/trace.csv"],
    "beside": ["trace", *OWN, "--no-cost", "--out", "out/beside", "--beside", "crafted", "out/trace"],
    "inspect": ["inspect", *OWN[:2], "--no-ladder", "--html", "out/inspect.html", "--hlo", "out/inspect.hlo"],
    "shard table": ["shard", "table.csv", "--out", "out/table", "--target", "../../target"],
    "shard images": ["shard", "images", "--out", "out/images", "--format", "tfrecord", "--json", "out/images.json"],
    "export": ["export", "--checkpoint", "out/run", "--stablehlo", "out/program"],
    "import-tf1": ["import-tf1", "net.ckpt", "--out", "out/imported", "--data-dir", "digits", "--epochs", "1",
                   "--rule", "sgd", "--learning-rate", "0.1"],
    "export-tf1": ["export-tf1", "--checkpoint", "out/imported", "--out", "out/new.ckpt", "--like", "net.ckpt"],
    "verify": ["verify", "--rule", "sgd", "--steps", "5", "--reference", "paper", "--json", "out/verified.json",
               "--save-streams", "out/streams.npz"],
    "race": ["race", "--landscape", "saddle", "--rules", "sgd", "--steps", "20", "--out", "out/race"],
    "explain": ["explain", "adam", "--html", "out/adam.html", "--json", "out/adam.json"],
}  # fmt: skip
"""What each writes is in `out`, and nowhere else."""


def main() -> None:
    from training.commands.cli import main as command

    for name, arguments in COMMANDS.items():
        status = 0
        gc.collect()  # a run's folder is locked as long as its run is there
        print(f"{name}: begun", file=sys.stderr, flush=True)
        try:
            command(arguments)
        except SystemExit as stop:
            status = stop.code
        except BaseException:
            traceback.print_exc()
            status = 1
        print(json.dumps({"command": name, "status": status}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, "/mnt/rawstep")
    main()
    sys.stdout.flush()
    atexit._run_exitfuncs()  # as a command ends, see commands/console.py
    os._exit(0)
