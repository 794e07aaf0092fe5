"""A pytest plugin, `-p tests.core.keras_own.put_in`: Keras's tests meet our rules wherever they ask for its optimizers.

Before any test module is imported, Keras's Adam, Adagrad, Adadelta and SGD are replaced wherever a test can get at
them. What stands there takes the arguments of Keras's own class and returns a KerasOptimizer, neither more nor less, so
that the bridge itself is tested: its names, its files and its faults. Classes that inherit from the replaced ones, as
AdamW and Nadam do, were made before and stay Keras's own.

Each test that ran reports in the JUnit file, as the property `put in`, how many optimizers were made for it.
"""

import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from core import RULES, Rule
from core.keras_bridge import KerasOptimizer

import keras  # isort: skip - rawstep comes first, as in a user's program

PROPERTY = "put in"
NO_COUNTERPART = "no counterpart: "

made = 0


class PutIn(type):
    """The class of the stand-ins: to make one is to make a KerasOptimizer."""

    replaced: type
    rule: type[Rule]

    def __call__(cls, *args: Any, **kwargs: Any) -> KerasOptimizer:
        global made
        bound = inspect.signature(cls.replaced).bind(*args, **kwargs)
        bound.apply_defaults()
        options = {**bound.arguments, **bound.arguments["kwargs"]}
        del options["kwargs"]
        options.pop("nesterov", None)  # which changes nothing where momentum is 0
        for option in ("amsgrad", "momentum"):
            if value := options.pop(option, None):
                pytest.skip(f"{NO_COUNTERPART}{option}={value!r}")
        settings = {field.name: options.pop(field.name) for field in fields(cls.rule) if field.name in options}
        optimizer = KerasOptimizer(cls.rule.dialect("keras", **settings), **options)
        made += 1
        return optimizer

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, KerasOptimizer) and type(instance.rule) is cls.rule

    def from_config(cls, config: dict[str, Any]) -> KerasOptimizer:
        """For `keras.optimizers.get("adam")`, and what Keras's own class has written."""
        return cls(**config)


def stand_in(rule: type[Rule]) -> PutIn:
    return PutIn(rule.__name__, (), {"rule": rule, "replaced": getattr(keras.optimizers, rule.__name__)})


def pytest_configure() -> None:
    from keras.src import api_export, optimizers

    for name, rule in RULES.items():
        ours, places = stand_in(rule), (keras.optimizers, optimizers, getattr(optimizers, name))
        for place in places:
            assert getattr(place, rule.__name__) is ours.replaced
            setattr(place, rule.__name__, ours)
        optimizers.ALL_OBJECTS_DICT[name] = ours
        api_export.register_internal_serializable(f"keras.optimizers.{rule.__name__}", ours)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    before = made
    try:
        return (yield)
    finally:
        item.user_properties.append((PROPERTY, made - before))
