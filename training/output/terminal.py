"""The door through which text leaves to a terminal, where nothing in it may steer: no name of a file, a column or a
tensor moves the cursor, hides a line or turns it round.

`Screen` prints tables and bars, through `visible` too.
"""

import re
import sys

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, except the line feed and the tab
    "\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # of direction, of no width, of lines
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters, and tags
)


def visible(text: str) -> str:
    """The text with what would steer a terminal written as Python writes it: \\x1b, \\u202e."""
    return STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str) -> None:
    """Prints to standard output."""
    print(visible(text))


def note(sentence: str, by: str = "rawstep") -> None:
    """Prints a sentence to standard error, after the name of what says it; one line, whatever it holds."""
    print(f"{by}: {' '.join(visible(sentence).split())}", file=sys.stderr, flush=True)
