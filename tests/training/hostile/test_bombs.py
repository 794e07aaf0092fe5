"""A small file takes no more memory than its header allows, and a header that allows too much is refused."""

import json
import subprocess
import sys

import pytest

from ..processes import ENVIRONMENT, ROOT
from .bombs import BOMBS
from .judge import SPARE


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Of each bomb, what a process said and took that read all of them."""
    command = [sys.executable, "-m", "tests.training.hostile.bombs", str(tmp_path_factory.mktemp("bombs"))]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3_000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {one["name"]: one for one in lines}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_memory_than_its_header_allows(found, name):
    """Would catch a reader that unpacks first and compares sizes afterwards."""
    bomb, one = BOMBS[name], found[name]
    assert one["bytes"] < 4e6, "it is small"
    assert bomb.sentence in one["said"]
    assert one["memory"] < bomb.allowed + SPARE / 4
