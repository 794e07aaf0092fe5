"""PyTorch's optimizers as references."""

import copy
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .reference import Library, Slots

PAIRS: Mapping[str, tuple[str, str]] = {
    "betas": ("beta_1", "beta_2"), "etas": ("eta_minus", "eta_plus"), "step_sizes": ("smallest", "largest"),
}  # fmt: skip
"""What PyTorch takes as one setting, with our names of the two."""


class Torch(Library):
    """torch.optim; our rules one tensor at a time, a user's own optimizer as it was made.

    The judged dtype is PyTorch's default one, which is that of the numbers that some optimizers keep: NAdam's product.
    """

    name, package, dialect = "torch", "torch", "torch"
    constructor = "torch.optim.{name}(parameters, {settings})"
    settings: ClassVar = {"learning_rate": "lr", "epsilon": "eps"}
    module = "optim"
    around = (
        "weight_decay", "amsgrad", "maximize", "momentum", "dampening", "nesterov", "centered", "lr_decay",
    )  # fmt: skip

    @classmethod
    def call(cls, rule: str, settings: Mapping[str, Any]) -> str:
        return super().call(rule, _paired(settings))

    @classmethod
    def configuration(cls, optimizer: Any) -> dict[str, Any]:
        """The defaults that it was made with, each number of a pair of betas by itself."""
        if len(optimizer.param_groups) != 1:
            raise InputError(
                f"{cls.described(optimizer)} must have one group of parameters, found {len(optimizer.param_groups)}."
            )
        found = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
        for pair, names in PAIRS.items():
            if isinstance(found.get(pair), tuple | list):
                found |= dict(zip(names, found[pair], strict=True))
        return found

    @classmethod
    def _copied(cls, kind: Any, configuration: Mapping[str, Any]) -> Any:
        options = {name: value for name, value in configuration.items() if name in cls.around and value}
        if unknown := [name for name in options if name not in _taken_by(kind)]:
            raise InputError(f"torch.optim.{kind.__name__} takes no {unknown[0]}.")
        return cls.made(kind, configuration)

    @classmethod
    def made(cls, kind: Any, settings: Mapping[str, Any], parameters: Any = None) -> Any:
        """For one parameter of no account, where none are given: PyTorch makes optimizers for their parameters."""
        import torch

        given = _paired(settings)
        taken = _taken_by(kind)
        parameters = [torch.nn.Parameter(torch.zeros(1))] if parameters is None else parameters
        return kind(parameters, **{name: value for name, value in given.items() if name in taken})

    def _build(self, settings: dict[str, Any]) -> None:
        self._hold(self.made(self.class_of(self.rule), settings | {"foreach": False}))

    def _hold(self, optimizer: Any) -> None:
        with _default(self.dtype):
            self._held(optimizer)

    def _held(self, optimizer: Any) -> None:
        import torch

        kind = _tensor(np.zeros(1, self.dtype)).dtype
        self._x = {
            name: torch.nn.Parameter(torch.zeros(shape, dtype=kind)) for name, shape in self.layout.shapes.items()
        }
        self._optimizer = self.made(type(optimizer), self.configuration(optimizer), self._parameters())
        self._before_stepping()
        self._unused = copy.deepcopy({name: self._optimizer.state[x] for name, x in self._x.items()})
        for x in self._x.values():
            x.grad = torch.zeros_like(x)
        begun = self._begun()
        self._optimizer.step()
        largest = max(self._x.values(), key=lambda x: x.ndim)  # of a scalar, a slot and a number look alike
        state = self._optimizer.state[largest]
        if not self.rule:
            names = [
                name
                for name, value in state.items()
                if name != "step" and torch.is_tensor(value) and value.shape == largest.shape
            ]
            self.slot_names = {name: name for name in names}
        held = self.slot_names.values()
        ones = [name for name, value in state.items() if name not in held and _is_number(value, 1)]
        self._optimizer.step()
        self._counters = [name for name in ones if _is_number(state[name], 2)]
        if not self.rule:
            numbers = [name for name, value in state.items() if name not in self._counters and _is_kept(value)]
            self.slot_names = {**self.slot_names, **{name: name for name in numbers}}
            held = self.slot_names.values()
        kept = (*held, *self._counters)
        states = [self._optimizer.state[x] for x in self._x.values()]
        self._rest = [name for name in dict.fromkeys(n for of in states for n in of) if name not in kept]
        self._rest = [name for name in self._rest if any(of.get(name) is not None for of in states)]
        self._first = self._slots(begun if all({*held} <= of.keys() for of in begun.values()) else None)

    def _parameters(self) -> list[Any]:
        """What the optimizer is made for."""
        return list(self._x.values())

    def _before_stepping(self) -> None:
        """Whatever is added to an optimizer before its first step."""

    def _begun(self) -> dict[str, dict[str, Any]]:
        """The states as they are made before the first step; a gradient of 0 would move some, as Adamax's u to ε.

        What an optimizer makes in the step itself, as SGD its momentum, or in another way, is not among them.
        """
        if hasattr(self._optimizer, "_init_group"):
            _, *lists = inspect.signature(self._optimizer._init_group).parameters
            self._optimizer._init_group(self._optimizer.param_groups[0], *([] for _ in lists))
        return {name: copy.deepcopy(dict(self._optimizer.state[x])) for name, x in self._x.items()}

    def _slots(self, state: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        state = state or {name: self._optimizer.state[x] for name, x in self._x.items()}
        return {
            ours: self.layout.joined({name: _array(of[theirs], self.dtype) for name, of in state.items()})
            for ours, theirs in self.slot_names.items()
        }

    def first(self) -> dict[str, np.ndarray]:
        return self._first

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        import torch

        parts = {name: self.layout.split(slot) for name, slot in slots.items()}
        goes_on = self._continues(t, slots)
        begins = t == 1 and all(np.array_equal(slots[name], self._first[name]) for name in slots)
        for (name, variable), part, gradient in zip(
            self._x.items(), self.layout.split(x).values(), self.layout.split(g).values(), strict=True
        ):
            variable.grad = _tensor(gradient)
            with torch.no_grad():
                variable.copy_(_tensor(part))
            if begins:  # SGD's first momentum is the gradient itself, whatever the momentum before it
                self._optimizer.state[variable] = copy.deepcopy(self._unused[name])
                continue
            if goes_on:
                continue
            state = self._optimizer.state[variable]
            for counter in self._counters:
                held = state[counter]
                state[counter] = torch.full_like(held, t - 1) if torch.is_tensor(held) else t - 1
            for ours, theirs in self.slot_names.items():
                part, held = np.array(parts[ours][name]), state[theirs]
                number = held.ndim == 0 and part.size
                state[theirs] = torch.full_like(held, part.ravel()[0]) if number else _tensor(part)
        with _default(self.dtype):
            self._optimizer.step()
        x = self.layout.joined({name: _array(variable, self.dtype) for name, variable in self._x.items()})
        return {"x": x, **self._went(t, self._slots())}


def _tensor(array: np.ndarray) -> Any:
    """A copy of an array. PyTorch reads no bfloat16 of NumPy's; float32 holds it exactly."""
    import torch

    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def _array(tensor: Any, dtype: np.dtype) -> np.ndarray:
    return tensor.detach().float().numpy().astype(dtype) if dtype.name == "bfloat16" else tensor.detach().numpy()


def _paired(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as PyTorch takes them: two of ours in one of its own; the rate stays first."""
    found = dict(settings)
    for pair, names in PAIRS.items():
        if all(name in found for name in names):
            found[pair] = tuple(found.pop(name) for name in names)
    return found


def _taken_by(kind: type) -> dict[str, inspect.Parameter]:
    """The parameters of a class's maker; one that takes any keyword passes it on to its parent's."""
    taken: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        taken |= inspect.signature(base.__init__).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
            break
    return taken


@contextmanager
def _default(dtype: np.dtype) -> Iterator[None]:
    """With this as PyTorch's default dtype."""
    import torch

    usual = torch.get_default_dtype()
    torch.set_default_dtype(_tensor(np.zeros(1, dtype)).dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(usual)


def _is_kept(value: Any) -> bool:
    """Whether something in a state is one number for a whole tensor."""
    return getattr(value, "ndim", None) == 0 and value.is_floating_point()


def _is_number(value: Any, number: int) -> bool:
    """Whether something in a state is this number: a count of steps, after as many."""
    return getattr(value, "ndim", 0) == 0 and not isinstance(value, bool | str) and bool(value == number)
