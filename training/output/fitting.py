"""A table in the width that there is: as it is, with headings and sentences wrapped, or a record below the other."""

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.measure import Measurement, measure_renderables
from rich.table import Column, Table
from rich.text import Text


def fitted(table: Table, console: Console) -> RenderableType:
    """The table as the console's width allows, with no word and no number cut.

    Where the words of all columns fit beside each other, headings and sentences wrap between words. Where they do not,
    each row becomes a block of lines `heading: cell`, without those that are empty.
    """
    unbounded = console.options.update(max_width=10_000)
    columns = [measure_renderables(console, unbounded, [column.header, *column.cells]) for column in table.columns]
    frame = console.measure(table, options=unbounded).maximum - sum(column.maximum for column in columns)
    room = console.width - frame
    if sum(column.maximum for column in columns) <= room:
        return table
    if sum(column.minimum for column in columns) > room:
        return _stacked(table)
    for column, width in zip(table.columns, _widths(columns, room), strict=True):
        column.width = width
    return table


def _widths(columns: Sequence[Measurement], room: int) -> list[int]:
    """The narrowest column that still wraps gets the next character, as long as there is room."""
    widths = [column.minimum for column in columns]
    for _ in range(room - sum(widths)):
        wrapped = [i for i, column in enumerate(columns) if widths[i] < column.maximum]
        widths[min(wrapped, key=widths.__getitem__)] += 1
    return widths


def _stacked(table: Table) -> Text:
    blocks = [_block(table, cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]
    title = [f"{table.title}\n"] if table.title else []
    return Text("\n".join([*title, ("\n\n" if table.show_header else "\n").join(blocks)]))


def _block(table: Table, cells: Sequence[RenderableType]) -> str:
    texts = [str(cell).strip() for cell in cells]
    if not table.show_header:
        name, *values = (text for text in texts if text)
        return f"{name}: {', '.join(values)}"
    return "\n".join(_line(column, text) for column, text in zip(table.columns, texts, strict=True) if text)


def _line(column: Column, text: str) -> str:
    return f"{column.header}: {text}" if column.header else text
