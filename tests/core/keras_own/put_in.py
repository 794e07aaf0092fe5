"""A pytest plugin, `-p tests.core.keras_own.put_in`: Keras's tests meet our rules where they ask for its optimizers.

Before any test module is imported, Keras's classes of which our rules compute something are replaced wherever a test
can get at them. What stands there takes the arguments of Keras's own class and returns a KerasOptimizer, not an object
of a class of its own, so that nothing stands between a test and the bridge: its names, its files, its faults. Classes
that inherit from the replaced ones were made before and stay Keras's own.

The JUnit file has for each test its name, and how many optimizers were made for it, as properties.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import keras
import pytest
from keras.src import api_export, optimizers

from core import RULES
from core.bridges.keras import KerasOptimizer
from core.verification.libraries import Keras
from core.verification.resolving import said

TEST, MADE = "test", "made"
NO_COUNTERPART = "no counterpart: "

made = 0


class PutIn(type):
    """The class of what stands in for one of Keras's classes."""

    replaced: type
    rules: list[str]

    def __call__(cls, *args: Any, **kwargs: Any) -> KerasOptimizer:
        """Skips the test where no rule computes what is asked for."""
        global made
        given = inspect.signature(cls.replaced).bind(*args, **kwargs)
        given.apply_defaults()
        options = {**given.arguments, **given.arguments["kwargs"]}
        del options["kwargs"]
        name = next((name for name in cls.rules if _computes(name, options)), None)
        if name is None:
            choices = {option for one in cls.rules for option in Keras.spelled(one).options}
            pytest.skip(f"{NO_COUNTERPART}{said({one: options[one] for one in choices if options.get(one)})}")
        for option in {*Keras.spelled(name).options, *Keras.spelled(name).idle}:
            del options[option]
        ours = [field.name for field in fields(RULES[name])]
        theirs = {one: Keras.by_their_names(name, {one: None}) for one in ours}
        settings = {one: options.pop(of) for one in ours for of in theirs[one] if of in options}
        settings = {one: value for one, value in settings.items() if value is not None}  # Lion's weight_decay
        optimizer = KerasOptimizer(RULES[name].dialect("keras", **settings), **options)
        made += 1
        return optimizer

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, KerasOptimizer) and type(instance.rule) in [RULES[name] for name in cls.rules]

    def from_config(cls, config: dict[str, Any]) -> KerasOptimizer:
        """From what Keras's own class would have written, such as nothing at all: `compile("adam")` asks for that."""
        return cls(**config)


def _computes(name: str, options: Mapping[str, Any]) -> bool:
    """Whether one of our rules is what Keras's class computes with these options."""
    spelling = Keras.spelled(name)
    chosen = all(bool(options[option]) == bool(value) for option, value in spelling.options.items())
    return chosen and all(options.get(option) for option in spelling.needs)


def pytest_configure() -> None:
    of_class: dict[str, list[str]] = {}
    for name in filter(Keras.has, RULES):
        of_class.setdefault(Keras.spelled(name).name, []).append(name)
    for title, rules in of_class.items():
        replaced = getattr(keras.optimizers, title)
        ours = PutIn(title, (), {"rules": rules, "replaced": replaced})
        for place in (keras.optimizers, optimizers, sys.modules[replaced.__module__]):
            assert getattr(place, title) is replaced
            setattr(place, title, ours)
        optimizers.ALL_OBJECTS_DICT[title.lower()] = ours
        api_export.register_internal_serializable(f"keras.optimizers.{title}", ours)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.user_properties.append((TEST, item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    before = made
    try:
        return (yield)
    finally:
        item.user_properties.append((MADE, made - before))
