"""The units of a table: by which means and deviations its columns were standardised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from core.errors import InputError


@dataclass(frozen=True, eq=False)
class Scaling:
    """Columns' numbers in a table's own units, and in deviations from their means in the rows that are trained on.

    columns: names in their order, or the numbers 0, 1, … of those of shards; target: the name of the one that is
    estimated. mean, deviation: float64 [columns], and target_mean and target_deviation of the target.
    """

    columns: Sequence[str]
    target: str
    mean: np.ndarray
    deviation: np.ndarray
    target_mean: float
    target_deviation: float

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Self:
        """What `schema` was made of."""
        arrays = {name: np.array(schema[name], np.float64) for name in ("mean", "deviation")}
        return cls(**{**schema, **arrays})

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON can hold it, each number to the bit."""
        arrays = {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
        return {**self.__dict__, "columns": [*self.columns], **arrays}

    def standardised(self, rows: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows [rows, columns] and targets [rows], both float64, as float32."""
        x, y = (rows - self.mean) / self.deviation, (targets - self.target_mean) / self.target_deviation
        return x.astype(np.float32), y.astype(np.float32)

    def check_columns(self, place: object, names: Sequence[str]) -> None:
        """Raises InputError for a table whose columns have other names than those here, in whichever order."""
        wanted = [*self.columns, self.target]
        lacking, further = ([one for one in of if one not in other] for of, other in ((wanted, names), (names, wanted)))
        if lacking or further:
            found = [f"no {', '.join(lacking)}"] * bool(lacking) + [f"{', '.join(further)} too"] * bool(further)
            raise InputError(
                f"{place} must have the columns of the table that the run was trained on, found {' and '.join(found)}."
            )
