"""Budgets as one setting: how much a queue may cost an hour, and a user a day."""

import re
from dataclasses import dataclass
from typing import Literal

USER = "user"


@dataclass(frozen=True, slots=True)
class Budget:
    """of: a queue, whose hour it is, or `user`, each user's day. amount: USD or credits, as unit says."""

    of: str
    amount: float
    unit: Literal["usd", "credits"]

    @property
    def text(self) -> str:
        """The amount as people write it."""
        return f"${self.amount:.2f}" if self.unit == "usd" else f"{self.amount:.0f} credits"


_PART = re.compile(r"([a-z][a-z-]*)\s*=\s*([0-9]{1,9}(?:\.[0-9]{1,4})?)\s*(usd|credits?)")


def budgets(text: str) -> tuple[Budget, ...]:
    """`video-generation=20usd,user=100credits`. Raises ValueError."""
    found = []
    for part in filter(None, (part.strip() for part in text.lower().split(","))):
        match = _PART.fullmatch(part)
        if match is None or not float(match[2]):
            raise ValueError("it has to look like video-generation=20usd,user=100credits")
        found.append(Budget(match[1], float(match[2]), "usd" if match[3] == "usd" else "credits"))
    if len({(each.of, each.unit) for each in found}) < len(found):
        raise ValueError("a queue or `user` stands in it twice with the same unit")
    return tuple(found)
