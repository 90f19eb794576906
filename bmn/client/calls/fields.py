"""What calls send: a body, and what a list is asked for."""

from collections.abc import Mapping, Sequence
from typing import TypedDict
from urllib.parse import urlencode

Fields = Mapping[str, object]
"""A request's body, in the wire's camelCase; a field that is None is left out."""


class Whose(TypedDict, total=False):
    """Whose jobs; for admins. user: an id or a mail address. all: everybody's. Neither: the caller's."""

    user: str | None
    all: bool | None


class Revealing(TypedDict, total=False):
    """With what their users have said and made; for operators. reason: for the audit log."""

    reveal: bool
    reason: str


def revealing(reason: str | None) -> Revealing:
    """As the API's parameters. reason: None for who reveals nothing."""
    return {} if reason is None else {"reveal": True, "reason": reason}


class JobQuery(Whose, total=False):
    """Which jobs. prefix: of the uuid or the whole id. since, until: seconds ago. minCost: USD."""

    queue: str | Sequence[str] | None
    state: str | Sequence[str] | None
    cause: str | None
    brand: str | None
    groupId: str | None
    text: str | None
    prefix: str | None
    since: float | None
    until: float | None
    minCost: float | None


class LetterQuery(TypedDict, total=False):
    """Which dead letters. since: seconds ago."""

    queue: str | None
    cause: str | None
    text: str | None
    since: float | None


class AuditQuery(TypedDict, total=False):
    """Which acts. action: whole, or up to a dot. key: an API key's id. since, until: seconds ago."""

    actor: str | None
    action: str | None
    subject: str | None
    key: str | None
    since: float | None
    until: float | None


def revealed(path: str, reason: str | None) -> str:
    """A path whose call reveals; as it is for who reveals nothing."""
    return path if reason is None else f"{path}?{urlencode({'reveal': 'true', 'reason': reason})}"


def given(fields: Fields) -> Fields:
    """Without what is None."""
    return {name: value for name, value in fields.items() if value is not None}
