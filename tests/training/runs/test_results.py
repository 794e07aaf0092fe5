"""JSON as it is written, and the memory of this process alone."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from training.runs.results import report, write_json
from training.runs.trainer import Trainer

from ..striped import SETTINGS, striped_data, trained


def test_json_is_written_through_a_link_and_leaves_nothing_beside(tmp_path):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    link.symlink_to(target)
    write_json(link, {"cost": float("nan"), "rate": 2.0})
    assert link.is_symlink()
    assert json.loads(target.read_text()) == {"cost": None, "rate": 2.0}
    assert {path.name for path in tmp_path.iterdir()} == {"target.json", "link.json"}


def test_json_goes_to_a_device_without_replacing_it():
    """A pipe, as /dev/stdout may be."""
    reading, writing = os.pipe()
    device = Path(f"/dev/fd/{writing}")
    write_json(device, {"a": 1})
    assert device.is_fifo()
    os.close(writing)
    with open(reading) as pipe:
        assert json.loads(pipe.read()) == {"a": 1}


def test_peak_memory_grows_by_what_is_held():
    """Would catch a wrong unit, and the memory of a parent, which is larger here."""
    program = (
        "from training.runs.results import peak_memory_mb; before = peak_memory_mb(); held = b'x' * 400_000_000\n"
        "del held; print(before, peak_memory_mb() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    before, grown = map(float, done.stdout.split())
    assert 100 < before < 1000
    assert grown == pytest.approx(400, rel=0.1)


@pytest.mark.usefixtures("striped_images_loaded")
def test_a_report_says_dtypes_the_last_loss_scale_and_how_many_steps_were_dropped():
    """From large first weights, whose gradients overflow: the scale of 2¹⁵ is halved at every drop."""
    trainer = Trainer(replace(SETTINGS, compute="float16", execution="graph", epochs=1), striped_data())
    for variable in trainer.variables.values():
        variable.assign(100 * variable)
    list(trainer.train())
    found = report(trainer)
    assert found["dtypes"] == {"parameters": "float32", "compute": "float16", "slots": "float32"}
    assert found["dropped_steps"] > 0
    assert found["loss_scale"] == 2.0 ** (15 - found["dropped_steps"])
    assert trainer.step == 32, "those dropped are counted"
    plain = report(trained(replace(SETTINGS, execution="graph", epochs=1)))
    assert plain["dtypes"]["compute"] == "float32"
    assert "loss_scale" not in plain
