"""Tables in the width that there is, down to a narrow split of a terminal."""

import pytest
from rich.table import Table

from training.output.screen import Screen

HEADINGS = ("rule", "learning rate", "final cost over the least", "where")
ROWS = [("adam", "0.0123", "1.25e-12", ""), ("my_rules:Momentum", "10.5", "1,234.5", "step 3, a weight of h1")]


def printed(width, header=True):
    table = Table(title="Beale", show_header=header)
    for heading in HEADINGS[: None if header else 2]:
        table.add_column(heading, justify="right" if heading in HEADINGS[1:3] else "left")
    for row in ROWS:
        table.add_row(*row[: len(table.columns)])
    screen = Screen()
    screen.width = width
    with screen.capture() as capture:
        screen.print(table)
    return capture.get()


def test_a_narrow_screen_gets_a_block_of_lines_for_each_row():
    assert printed(40) == (
        "Beale\n\nrule: adam\nlearning rate: 0.0123\nfinal cost over the least: 1.25e-12\n\n"
        "rule: my_rules:Momentum\nlearning rate: 10.5\nfinal cost over the least: 1,234.5\n"
        "where: step 3, a weight of h1\n"
    )
    assert printed(20, header=False) == "Beale\n\nadam: 0.0123\nmy_rules:Momentum: \n10.5\n"


@pytest.mark.parametrize("width", range(20, 100))
def test_no_number_is_cut_and_no_line_is_longer_than_the_screen(width):
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    for word in (word for row in ROWS for cell in row for word in cell.split()):
        assert word in text
    assert "…" not in text
