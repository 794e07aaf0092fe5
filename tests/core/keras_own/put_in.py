"""A pytest plugin, `-p tests.core.keras_own.put_in`: Keras's tests meet our rules where they ask for its optimizers.

Before any test module is imported, Keras's Adam, Adagrad, Adadelta and SGD are replaced wherever a test can get at
them. What stands there takes the arguments of Keras's own class and returns a KerasOptimizer, not an object of a class
of its own, so that nothing stands between a test and the bridge: its names, its files, its faults. Classes that inherit
from the replaced ones, as AdamW does, were made before and stay Keras's own.

The JUnit file tells for each test its name, and how many optimizers were made for it, as properties.
"""

import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import keras
import pytest
from keras.src import api_export, optimizers

from core import RULES, Rule
from core.bridges.keras import KerasOptimizer

TEST, MADE = "test", "made"
NO_COUNTERPART = "no counterpart: "

made = 0


class PutIn(type):
    """The class of what stands in for Keras's classes."""

    replaced: type
    rule: type[Rule]

    def __call__(cls, *args: Any, **kwargs: Any) -> KerasOptimizer:
        """Skips the test where no rule computes what is asked for."""
        global made
        given = inspect.signature(cls.replaced).bind(*args, **kwargs)
        given.apply_defaults()
        options = {**given.arguments, **given.arguments["kwargs"]}
        del options["kwargs"]
        for option in ("amsgrad", "momentum"):
            if value := options.pop(option, None):
                pytest.skip(f"{NO_COUNTERPART}{option}={value!r}")
        options.pop("nesterov", None)  # which changes nothing where momentum is 0
        settings = {field.name: options.pop(field.name) for field in fields(cls.rule) if field.name in options}
        optimizer = KerasOptimizer(cls.rule.dialect("keras", **settings), **options)
        made += 1
        return optimizer

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, KerasOptimizer) and type(instance.rule) is cls.rule

    def from_config(cls, config: dict[str, Any]) -> KerasOptimizer:
        """From what Keras's own class would have written, such as nothing at all: `compile("adam")` asks for that."""
        return cls(**config)


def pytest_configure() -> None:
    for name, rule in RULES.items():
        title = rule.__name__
        ours = PutIn(title, (), {"rule": rule, "replaced": getattr(keras.optimizers, title)})
        for place in (keras.optimizers, optimizers, getattr(optimizers, name)):
            assert getattr(place, title) is ours.replaced
            setattr(place, title, ours)
        optimizers.ALL_OBJECTS_DICT[name] = ours
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
