"""Tables as comma-separated values."""

import csv

import numpy as np
import pytest

from core import InputError
from training.output.csv_table import csv_text, write_csv


def test_a_table_read_back_has_every_column_and_all_digits(tmp_path):
    rows = [
        {"engine": "a,\nb", "wall": {"min": 0.1 + 0.2, "median": np.float32(1e-8)}, "count": 1_000_000},
        {"engine": 'said "no"', "share": None, "wall": {"min": np.float32("nan"), "median": float("inf")}},
    ]
    path = tmp_path / "table.csv"
    write_csv(path, rows)
    with path.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == ["engine", "wall_min", "wall_median", "count", "share"]
    assert read[0]["engine"] == "a,\nb"
    assert float(read[0]["wall_min"]) == 0.1 + 0.2
    assert np.float32(read[0]["wall_median"]) == np.float32(1e-8)
    assert read[0]["count"] == "1000000"
    assert list(read[1].values()) == ['said "no"', "", "", "", ""]
    assert csv_text(rows).endswith("\n")


def test_a_folder_is_refused_as_the_file(tmp_path):
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        write_csv(tmp_path, [{"a": 1}])
