"""What a stored event of a job says, whichever it is."""

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bmn.errors import Cause


def _or(default: object) -> Callable[[object], object]:
    return lambda value: value or default


class Saying(BaseModel):
    """message, content: its words, the wizard's without marks. picture: whose progress it is. saved: that picture is here.

    cause, retries_left: of an attempt that failed. begins: it is the first of an attempt.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: Annotated[str, BeforeValidator(_or(""))] = ""
    content: Annotated[str, BeforeValidator(lambda text: str(text or "").replace("**", ""))] = ""
    picture: Annotated[int, BeforeValidator(_or(0)), Field(alias="logoIndex")] = 0
    saved: Annotated[bool, BeforeValidator(bool), Field(alias="asset")] = False
    cause: Annotated[Cause, BeforeValidator(_or(Cause.BUG))] = Cause.BUG
    retries_left: Annotated[int, BeforeValidator(_or(0)), Field(alias="retriesLeft")] = 0
    begins: Annotated[bool, BeforeValidator(bool), Field(alias="attempt")] = False

    @classmethod
    def of(cls, payload: Mapping[str, object]) -> "Saying":
        """As far as the event says it."""
        return cls.model_validate(payload)
