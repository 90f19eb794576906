"""What a stored event of a job says, whichever it is: its keys are read here alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bmn.errors import Cause


@dataclass(frozen=True, slots=True)
class Saying:
    """message, content: its words, the wizard's without marks. picture: whose progress it is. saved: that picture is here.

    cause, retries_left: of an attempt that failed. begins: it is the first of an attempt.
    """

    message: str
    content: str
    picture: int
    saved: bool
    cause: Cause
    retries_left: int
    begins: bool

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "Saying":
        """As far as the event says it."""
        return cls(
            message=str(payload.get("message", "")),
            content=str(payload.get("content", "")).replace("**", ""),
            picture=int(payload.get("logoIndex") or 0),
            saved=bool(payload.get("asset")),
            cause=Cause(payload.get("cause") or Cause.BUG),
            retries_left=int(payload.get("retriesLeft") or 0),
            begins=bool(payload.get("attempt")),
        )
