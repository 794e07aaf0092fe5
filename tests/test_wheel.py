"""The wheel: what it has, seen from outside the checkout, in an environment that has no other rawstep."""

import subprocess
import sys
import venv
from pathlib import Path
from sysconfig import get_path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    [built] = folder.glob("rawstep-*.whl")
    return built


@pytest.mark.parametrize(
    "dependencies",
    [
        # A path in a .pth file brings this environment's packages, and not the checkout that is installed in it.
        pytest.param("this environment's", id="beside-these-dependencies"),
        pytest.param("installed", marks=pytest.mark.whole, id="with-its-own-dependencies"),
    ],
)
def test_the_wheel_trains_outside_the_checkout(wheel, tmp_path, dependencies):
    """Would catch a package, a template or a data file that setuptools was not told of."""
    venv.create(tmp_path / "env")
    binaries = tmp_path / "env" / "bin"
    if dependencies == "installed":
        options = ["--constraint", ROOT / "constraints.txt"]
    else:
        options = ["--no-deps"]
        [packages] = (tmp_path / "env").glob("lib/python*/site-packages")
        (packages / "dependencies.pth").write_text(get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", binaries / "python"]
    run(*pip, "install", "--quiet", *options, wheel, cwd=tmp_path)

    run(binaries / "rawstep", "train", "--epochs", "1", "--hidden", "8", "--json", "run.json", cwd=tmp_path)
    assert (tmp_path / "run.json").exists()
    run(binaries / "rawstep", "explain", "adam", "--html", "adam.html", cwd=tmp_path)
    places = run(
        binaries / "python",
        "-c",
        "import core, training.workloads.regression as r, benchmarks as b; "
        "r.Regression().data(0); print(core.__file__, b.__file__)",
        cwd=tmp_path,
    )
    assert str(ROOT) not in places.replace(str(tmp_path), "")
