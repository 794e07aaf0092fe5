"""Names that would leave a folder, a page or a line stay names: the commands run where they can write nowhere else."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from training.output.terminal import visible
from training.views.trace.trace import NAME as TRACE
from training.views.trace.trace import written

from ..browsing import needs_chromium
from ..exchange.tf1.files import write, write_images
from ..processes import ENVIRONMENT, ROOT
from .evil import NAME, PWNED
from .outside import COMMANDS
from .writers import trace

READY = {
    "trace/trace.html": "document.querySelectorAll('#curves .js-line').length > 0",
    "beside/trace.html": "document.querySelectorAll('#curves .js-line').length > 0",
    "inspect.html": "document.querySelectorAll('table').length > 0",
}
CLASS = "<img src=x onerror=window.pwned=1>"


def fill(folder: Path) -> None:
    """Data of hostile names, and a folder for what is written."""
    (folder / "out").mkdir()
    (folder / "table.csv").write_text('../../target,"/etc/a\nb",=1+1\n' + "".join(f"{n},{n},{-n}\n" for n in range(40)))
    for name in (CLASS, "..evil"):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(20):
            Image.new("L", (4, 4), number).save(folder / "images" / name / f"{number}{CLASS}.png")
    (folder / "elsewhere.png").write_bytes((folder / "images" / "..evil" / f"0{CLASS}.png").read_bytes())
    (folder / "images" / "..evil" / "link.png").symlink_to(folder / "elsewhere.png")
    write_images(folder / "digits")
    shapes = {f"../../{PWNED}/w": (16, 8), "/etc/b\n": (8,), "../w": (8, 3), "b": (3,)}
    write(folder / "net.ckpt", {name: np.ones(shape, np.float32) for name, shape in shapes.items()})
    (folder / "crafted").mkdir()
    hostile = trace(NAME)
    settings = hostile.about["settings"] | {NAME: NAME}
    about = hostile.about | {"settings": settings, "versions": {NAME: NAME}, "command": NAME, "date": NAME}
    (folder / "crafted" / TRACE).write_bytes(written(hostile._replace(about=about)))


def needs_namespaces():
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("the system grants no mount namespace")


@pytest.fixture(scope="module")
def left():
    """What the commands left in their folder and in /tmp, and what they said."""
    needs_namespaces()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        folder = Path(place)
        fill(folder)
        command = ["unshare", "-rm", "bash", str(Path(__file__).parent / "read_only.sh"), str(ROOT), place]
        python = Path(sys.executable)
        if python.is_relative_to(ROOT):  # which may lie under /tmp, where nothing is to be seen
            python = "/mnt/rawstep" / python.relative_to(ROOT)
        command += [python, "/mnt/rawstep/tests/training/hostile/outside.py"]
        done = subprocess.run(
            command, env=ENVIRONMENT | {"PYTHONPATH": "/mnt/rawstep"}, capture_output=True, text=True, timeout=900
        )
        lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith('{"command"')]
        yield SimpleNamespace(
            status={one["command"]: one["status"] for one in lines},
            said=done.stdout + done.stderr, folder=folder, out=folder / "out",
            kept=[line for line in done.stdout.splitlines() if line.startswith("/tmp/")],
        )  # fmt: skip


def test_every_command_does_its_work_where_it_can_write_into_its_outputs_alone(left):
    """Would catch a file beside the named ones, which the system refuses here, and one that is forgotten in /tmp."""
    assert left.status == dict.fromkeys(COMMANDS, 0), left.said[-6_000:]
    assert left.kept == []
    named = {word.removeprefix("out/") for words in COMMANDS.values() for word in words if word.startswith("out/")}
    made = {path.name for path in left.out.iterdir()}
    files_of = {name: {f"{name}.index", f"{name}.data-00000-of-00001"} for name in ("new.ckpt",)}
    assert made == named - files_of.keys() | {file for files in files_of.values() for file in files}


def test_nothing_that_is_said_steers_the_terminal(left):
    """Would catch a print of a variable's, a column's or a class's name beside the one door."""
    assert "\\x1b[31m\\r\\u202e[red]" in left.said
    assert visible(left.said) == left.said


@needs_chromium
@pytest.mark.parametrize("page", READY)
def test_no_name_runs_in_a_page(left, open_page, page):
    """Would catch a name that is not escaped: it would set window.pwned, or leave a picture that is not found."""
    opened = open_page(left.out / page, READY[page])
    for box in opened.locator("select").all():
        for value in box.locator("option").evaluate_all("all => all.map(one => one.value)"):
            box.select_option(value)
    assert opened.evaluate("window.pwned") is None
    assert PWNED in opened.evaluate("document.body.textContent")
    assert opened.locator("img").count() == 0


def test_a_picture_has_names_letter_by_letter(left):
    """Would catch a name of dollars that is set as a formula, and a control character that SVG lacks."""
    ElementTree.parse(left.out / "run.svg")


def test_a_table_of_values_holds_a_name_as_it_is(left):
    """CSV is data, which programs read: a name that looks like a formula keeps its letters."""
    with (left.out / "run.csv").open(newline="") as file:
        assert any(name.endswith(NAME) for name in next(csv.reader(file)))


def test_a_link_out_of_a_folder_is_read_and_never_written(left):
    assert (left.folder / "images" / "..evil" / "link.png").is_symlink()
    assert os.stat(left.folder / "elsewhere.png").st_mtime < os.stat(left.out / "images.json").st_mtime
