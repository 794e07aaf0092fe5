"""What README.md shows of the newest records; `make readme` puts it there, and a test fails where it differs."""

import json
from pathlib import Path

from .tables import LEGEND, markdown

RECORDS = Path(__file__).parent / "records"


def newest(name: str) -> Path:
    """The file of that name in the record of the latest date."""
    return max(RECORDS.glob(f"*/{name}"))


def comparison() -> None:
    """The table of the paired comparison."""
    path = newest("compare.json")
    record = json.loads(path.read_text())
    print(markdown(record["figures"]))
    print()
    print(f"{LEGEND[0].upper()}{LEGEND[1:]}")
    print()
    rounds = len(record["samples"][0]["samples"])
    print(
        f"{rounds} rounds of {record['steps']} steps in batches of {record['workload']['batch_size']}, "
        f"{record['date'][:10]}, {record['processor']}, {record['cores']} cores, "
        f"TensorFlow {record['versions']['tensorflow']}, Keras {record['versions']['keras']}; "
        f"all samples: `{path.relative_to(RECORDS.parents[1])}`."
    )


def picture() -> None:
    """The picture of a training run."""
    path = newest("run.svg")
    print(f"![costs and accuracies of thirty epochs]({path.relative_to(RECORDS.parents[1])})")
