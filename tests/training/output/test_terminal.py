"""What leaves to a terminal is text: a name that would steer it is shown instead."""

import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from training.output.screen import Counted, Screen, words
from training.output.terminal import note, say, visible

from ..processes import ENVIRONMENT, rawstep

HOSTILE = "a\x1b[2J\x1b]0;pwned\x07b\rc\x9b31md\u202ee\u2066f\u200b[red]g"
SHOWN = "a\\x1b[2J\\x1b]0;pwned\\x07b\\rc\\x9b31md\\u202ee\\u2066f\\u200b[red]g"


def by_sentence(capsys):
    say(HOSTILE)
    return capsys.readouterr().out


def by_note(capsys):
    note(HOSTILE)
    return capsys.readouterr().err


def on_screen(made):
    def by_screen(capsys):
        screen = Screen()
        screen.width = 200
        screen.print(made())
        return capsys.readouterr().out

    return by_screen


def table(title=None, heading="", cell=""):
    def made():
        found = Table(title=title)
        found.add_column(heading)
        found.add_row(cell, "-" * 120)
        return found

    return made


WAYS = {
    "a line": by_sentence,
    "a sentence": by_note,
    "text": on_screen(lambda: HOSTILE),
    "rich's own text": on_screen(lambda: Text.assemble(HOSTILE.replace("\r", "\\r").replace("\x07", "\\x07"))),
    "a title": on_screen(table(title=HOSTILE)),
    "a heading": on_screen(table(heading=HOSTILE)),
    "a cell": on_screen(table(cell=HOSTILE)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_would_steer_a_terminal_is_shown(way, capsys):
    """Would catch a print beside the door, rich's markup switched on, and a table whose cells pass by `visible`."""
    found = way(capsys)
    assert SHOWN in found
    assert visible(found) == found


def test_a_column_of_a_bar_is_plain_text():
    """Would catch rich's own TextColumn, in which [red] is a colour and [/] an error."""
    with Counted("[red]examples[/][/]", 2) as counted:
        (task,) = counted.bar.tasks
        assert words("{task.description}").render(task).plain == "[red]examples[/][/]"


def test_a_row_of_a_table_stays_in_line_whatever_is_in_it(capsys):
    screen = Screen()
    screen.width = 200
    screen.print(table(cell=HOSTILE)())
    assert len({len(line) for line in capsys.readouterr().out.splitlines()}) == 1


def test_a_refusal_shows_what_a_name_would_do(tmp_path):
    done = rawstep("train", "--data-dir", f"{tmp_path}/{HOSTILE}")
    assert done.returncode == 2
    assert SHOWN in done.stderr
    assert visible(done.stderr) == done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_colours_and_bars_of_our_own_reach_the_terminal():
    """Would catch a door that shuts everything out: rich's own codes are no text."""
    program = (
        "from training.output.screen import Screen; "
        "s = Screen(); s._force_terminal = True; s._color_system = 1; s.print('x', style='bold')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT | {"TERM": "xterm"}, capture_output=True, text=True, timeout=60
    )
    assert "\x1b[1mx" in done.stdout, done.stderr
