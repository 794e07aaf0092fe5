"""Question 5: how does one go on with training that was left half done?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .scale import FIRST, Scale
from .works import Sittings, Training, Work


@dataclass(frozen=True)
class ThreeSittings:
    """The first experiment in three sittings beside the same in one."""

    scale: Scale
    name: str = "question-5"

    @property
    def sittings(self) -> Sittings:
        return Sittings(Training(self.scale.settings(FIRST, self.scale.seeds[0])))

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        return [self.sittings.whole, self.sittings]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        return {"whole": asdict(self.sittings.whole.settings.settled()), **finished[self.sittings.name]}
