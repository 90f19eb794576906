"""When a job is to be done, and before which others: what every submission may say beside the work itself."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints, model_validator

from bmn.format import parse_span
from bmn.schemas.base import Flag, HttpUrl, Model, Whole
from bmn.schemas.webhook_payloads import SubscribedList

LONGEST_SECONDS = 30 * 86_400
"""How far ahead a job may be planned, and how late a deadline may be."""


def _seconds(value: object) -> object:
    return parse_span(value) if isinstance(value, str) else value


def _moment(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError("is not a time with its zone, such as 2026-11-23T10:00:00Z")
    return text


Span = Annotated[
    float,
    Strict(),
    Field(gt=0, le=LONGEST_SECONDS),
    BeforeValidator(_seconds, json_schema_input_type=float | str),
]
"""Seconds, or a text such as `10m`."""

When = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_moment),
    Field(json_schema_extra={"format": "date-time"}),
]


class SubmissionBody(Model):
    """run_at, run_in: when it may begin; at once, where neither is given. start_within, finish_within: from then on.

    priority: lower goes first. replaces: what still waits of the same brand and kind is cancelled for it.
    webhook_url: who is told, beside the receivers of the account. webhook_events: of what; of its end, if not given.
    """

    run_at: When | None = None
    run_in: Span | None = None
    start_within: Span | None = None
    finish_within: Span | None = None
    priority: Whole | None = Field(None, ge=0, le=100)
    replaces: Flag | None = None
    webhook_url: HttpUrl | None = None
    webhook_events: SubscribedList | None = None

    @model_validator(mode="after")
    def _agree(self) -> "SubmissionBody":
        if self.run_at is not None and self.run_in is not None:
            raise ValueError("give either runAt or runIn")
        if self.webhook_events is not None and self.webhook_url is None:
            raise ValueError("webhookEvents needs webhookUrl")
        return self


TERMS = frozenset(SubmissionBody.model_fields)
"""The names of these fields, which say nothing of the work itself."""

_ALIASES = frozenset(str(field.alias) for field in SubmissionBody.model_fields.values())


def without_terms(body: Model) -> dict[str, object]:
    """What a body says of the work itself, under the names of the wire."""
    return {name: value for name, value in body.dump().items() if name not in _ALIASES}
