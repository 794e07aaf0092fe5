"""Symbols for the quantities of a step, no two alike."""

from typing import Any

from sympy import Symbol

from core.rules import Letter
from core.rules.part import Part
from core.rules.settings import notes

from .notation import Sign, greek, sign_of


class Names:
    """Symbols for names.

    signs: how each is written.
    """

    def __init__(self):
        self.signs: dict[Symbol, Sign] = {}

    def of_setting(self, part: Part, name: str, time: str) -> Symbol:
        hatted = any(value == f"{name}-hat" for value in vars(part).values() if isinstance(value, str))
        letter = None if hatted else notes(type(part), Letter).get(name)
        return self.add((greek(letter.sign) if letter else sign_of(name, hatted)).at(time))

    def of(self, name: str, time: str, letter: Letter | None = None) -> Symbol:
        return self.add((greek(letter.sign) if letter else sign_of(name)).at(time))

    def at(self, symbol: Symbol, time: str) -> Symbol:
        """The same quantity at another step."""
        return self.add(self.signs[symbol].at(time))

    def add(self, sign: Sign) -> Symbol:
        while sign.symbol in self.signs:
            sign = sign._replace(text=f"{sign.text}′", command=f"{sign.command}'")
        self.signs[sign.symbol] = sign
        return sign.symbol


def slot_notes(slots: Any, of: type, prefix: str = "") -> dict[str, Any]:
    """What slots say of themselves, by name; see `notes`."""
    found = {f"{prefix}{name}": note for name, note in notes(type(slots), of).items()}
    for name, value in slots._asdict().items():
        found |= slot_notes(value, of, f"{prefix}{name}.") if hasattr(value, "_asdict") else {}
    return found
