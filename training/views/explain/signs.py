"""Signs: what stands for each quantity, in Unicode and in LaTeX."""

import re
from typing import NamedTuple

from sympy import Symbol
from sympy.printing.pretty.pretty_symbology import greek_unicode

HAT, BAR = "\u0302", "\u0304"
ACCENTS = {HAT: ("^", r"\hat"), BAR: ("¯", r"\bar")}
"""What stands above a letter, as a character that combines with it: alone, and LaTeX's command."""
SUBSCRIPTS = str.maketrans("0123456789t-,", "₀₁₂₃₄₅₆₇₈₉ₜ₋,")
COMMANDS = {sign: rf"\{name}" for name, sign in greek_unicode.items()}
"""LaTeX's, by Greek letter."""

WRITTEN = {
    "learning_rate": ("α", r"\alpha"),
    "initial_accumulator_value": ("a", "a"),
    "momentum": ("μ", r"\mu"),
    "weight_decay": ("λ", r"\lambda"),
    "parameter": ("θ", r"\theta"),
    "gradient": ("g", "g"),
    "norm": ("N", "N"),
    "norm_g": ("‖g‖", r"\lVert g \rVert"),
    "delta": ("Δ", r"\Delta"),
    "dx": ("Δx", r"\Delta x"),
    "mean_g2": ("E[g²]", "E[g^2]"),
    "mean_dx2": ("E[Δx²]", r"E[\Delta x^2]"),
    "rms_g": ("RMS[g]", r"\mathrm{RMS}[g]"),
    "rms_dx": ("RMS[Δx]", r"\mathrm{RMS}[\Delta x]"),
    "denominator": ("d", "d"),
    "correction": ("c", "c"),
    "product": ("Π", r"\Pi"),
    "mu_next": ("μ′", r"\mu'"),
    "length": ("ρ", r"\rho"),
}
"""What is written for a name that is no letter: Unicode, LaTeX. All else is written as it is called."""


class Sign(NamedTuple):
    """What stands for one quantity.

    text, command: the base in Unicode, hat included, and in LaTeX.
    ordinal:       a number that belongs to the name, as in β₁.
    time:          the step that the value is of: "t", "t-1" or a number; empty for what is no step's own.
    """

    text: str
    command: str
    ordinal: str = ""
    time: str = ""

    @property
    def below(self) -> str:
        return ",".join(part for part in (self.ordinal, self.time) if part)

    @property
    def letter(self) -> str:
        """The text without its primes."""
        return self.text.rstrip("′")

    @property
    def primes(self) -> str:
        """Those of the text, two or three of them as one character."""
        return self.text[len(self.letter) :].replace("′′′", "‴").replace("′′", "″")

    @property
    def symbol(self) -> Symbol:
        return Symbol(f"{self.letter}{self.primes}{self.below.translate(SUBSCRIPTS)}", real=True)

    @property
    def latex(self) -> str:
        return f"{self.command}_{{{self.below}}}" if self.below else self.command

    def at(self, time: int | str) -> "Sign":
        return self._replace(time=str(time))


def sign_of(name: str, hatted: bool = False) -> Sign:
    """What is written for a name: beta_1 is β₁, m_hat is m̂, denominator is d, and velocity is velocity."""
    found = re.fullmatch(r"(.+?)(_hat)?(?:_(\d+))?", name, re.DOTALL)
    assert found is not None, "a name has at least one character"
    base, ordinal = found[1], found[3] or ""
    text, command = WRITTEN.get(base) or (greek_unicode.get(base) or base, _command(base))
    if hatted or found[2]:
        text, command = f"{text}{HAT}", rf"\hat{{{command}}}"
    return Sign(text, command, "0" if name == "initial_accumulator_value" else ordinal)


def greek(letter: str) -> Sign:
    """The sign that is a Greek letter, or any other, with or without an accent."""
    if letter[-1] in ACCENTS:
        return Sign(letter, f"{ACCENTS[letter[-1]][1]}{{{greek(letter[:-1]).command}}}")
    return Sign(letter, COMMANDS.get(letter, letter))


def _command(base: str) -> str:
    if base in greek_unicode:
        return rf"\{base}"
    return base if len(base) == 1 else rf"\mathrm{{{base.replace('_', chr(92) + '_')}}}"
