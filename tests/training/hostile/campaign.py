"""`make fuzz`: every format fuzzed by atheris, whose mutations follow the branches that they reach; two at a time.

    python -m tests.training.hostile.campaign [SECONDS] [FORMAT …]

SECONDS, 1,200 unless given, are split over the formats. Prints how many files of each were tried, and fails on a
finding, which stands in findings/ then: a seed of the next campaign and of the tests.
"""

import multiprocessing
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

FINDINGS = Path(__file__).parent / "findings"
AT_ONCE = 2
PATIENCE = 300
"""Seconds that a format may be late, on a loaded machine."""
MOST_BYTES = 1 << 14
"""Of a file that is tried."""
INSTRUMENTED = ["training", "core.errors", "PIL", "numpy.lib", "zipfile", "gzip", "csv", "json", "tokenize"]
"""Modules whose branches atheris follows."""


def findings(name: str) -> list[bytes]:
    """What a format's reader once failed on."""
    return [path.read_bytes() for path in sorted((FINDINGS / name).glob("*"))]


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """In a process of its own, which ends: tries files of one format until the time is over or one is a finding."""
    import atheris

    from .judge import Damaged

    for output in (1, 2):
        os.dup2(os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND), output)
    damaged, corpus = Damaged(name, folder / "place"), folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate([*damaged.format.seeds(), *findings(name)]):
        damaged.judge(seed)
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-rss_limit_mb=0", "-timeout=600", "-seed=1"]
    options += [f"-artifact_prefix={folder}/finding-", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], damaged.judge)
    atheris.Fuzz()


def campaign(name: str, seconds: int) -> str | None:
    """Fuzzes a format; returns what was found, None where nothing was."""
    with tempfile.TemporaryDirectory() as place:
        folder, begun = Path(place), time.monotonic()
        # A fork: what is imported, and instrumented, is there at once. TensorFlow has computed nothing yet.
        process = multiprocessing.get_context("fork").Process(target=fuzz, args=(name, seconds, folder))
        process.start()
        process.join(seconds + PATIENCE)
        late = process.exitcode is None
        process.kill()
        process.join()
        said = (folder / "said").read_text(errors="replace")
        executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
        reached = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)", said)
        for artifact in folder.glob("finding-*"):
            content = artifact.read_bytes()
            (FINDINGS / name).mkdir(parents=True, exist_ok=True)
            (FINDINGS / name / sha256(content).hexdigest()[:12]).write_bytes(content)
        tried = int(executed[1]) if executed else 0
        branches = "{} branches reached by {}".format(*reached[-1]) if reached else ""
        print(f"{name:12} {tried:>9,} files in {time.monotonic() - begun:4.0f} s  {branches}", flush=True)
        return None if process.exitcode == 0 and tried else f"{'it does not end; ' * late}{said[-4_000:]}"


def main(seconds: int, names: list[str]) -> int:
    """Returns the exit status."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: it runs on Linux on x86-64, with Python before 3.14.")
    with atheris.instrument_imports(include=INSTRUMENTED):
        from .formats import FORMATS
    chosen = names or [*FORMATS]
    each = partial(campaign, seconds=max(1, seconds * AT_ONCE // len(chosen)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(chosen, pool.map(each, chosen), strict=True))
    failed = {name: failure for name, failure in found.items() if failure is not None}
    for name, failure in failed.items():
        print(f"\n{name}:\n{failure}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1_200, sys.argv[2:]))
