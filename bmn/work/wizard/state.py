"""What a session of the wizard remembers of the step that it is in."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field


class StepState(BaseModel):
    """job: whose step it is. turns: paid so far. done: tools that have answered. text: the model's last words.

    suggestions: names and palettes to choose from. profits: figures by product. started: ids of jobs that the step began.
    proposed, proposal: what it would change of the brand's look and did not, by HTTP's names and in words. pages: looked at.
    """

    job: str = ""
    turns: int = 0
    done: list[str] = Field(default_factory=list)
    text: str = ""
    suggestions: dict[str, list[Any]] = Field(default_factory=dict)
    profits: dict[str, dict[str, Any]] = Field(default_factory=dict)
    started: list[str] = Field(default_factory=list)
    proposed: dict[str, Any] = Field(default_factory=dict)
    proposal: str = ""
    pages: list[str] = Field(default_factory=list)

    @property
    def has_shown(self) -> bool:
        """Whether the step has said or done anything that its user has something of."""
        return bool(self.text or self.done)

    @property
    def found(self) -> Mapping[str, object]:
        """What is kept of it in the brand's record beside its words."""
        found = {"suggestions": self.suggestions, "profits": self.profits}
        return {name: value for name, value in found.items() if value}

    def dump(self) -> dict[str, object]:
        """As its session's row keeps it. The first three are always there: other releases count on them."""
        return {"job": self.job, "turns": self.turns, "done": self.done} | self.model_dump(exclude_defaults=True)
