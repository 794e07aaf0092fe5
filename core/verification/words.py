"""Settings and their differences in words."""

from typing import Any

SYMBOLS = {"epsilon": "ε", "beta_1": "β1", "beta_2": "β2", "rho": "ρ", "epsilon_root": "ε inside the root",
           "initial_accumulator_value": "first accumulator"}  # fmt: skip

FORMS = {
    "epsilon-hat": "ε̂ for ε: added to √v, before the bias correction",
    "algorithm-1": "ε for ε̂: added to √v̂, after the bias correction",
    "inside-root": "ε inside the root instead of outside",
    "outside-root": "ε outside the root instead of inside",
}


def symbol(name: str) -> str:
    """What a setting is called."""
    return SYMBOLS.get(name, name.replace("_", " "))


def in_words(name: str, found: Any, expected: Any) -> str:
    if isinstance(found, str) and found in FORMS:
        return FORMS[found]
    if name in ("complement_in", "power_in"):
        what = "1 − β subtracted" if name == "complement_in" else "β^t computed"
        one, other = ("the variable's dtype" if place == "variable" else place for place in (found, expected))
        return f"{what} in {one} instead of {other}"
    if isinstance(found, float) and isinstance(expected, float):
        if name == "epsilon" and 0 in (found, expected):
            return f"ε = {found:g} where there is none" if found else f"no ε instead of {expected:g}"
        return f"{symbol(name)} = {found:g} instead of {expected:g}"
    return f"{symbol(name)}: {found} instead of {expected}"
