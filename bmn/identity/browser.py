"""Tokens for browsers: signed by us, good for minutes, and for reading and following one thing alone.

A back end that holds a user's token or a key makes one and hands it to a page. Nothing of it is stored: it ends by itself,
and with the key that made it.
"""

import base64
import hmac
import json
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PREFIX = "bmn_view_"
_FIELDS = 5


class BoundKind(StrEnum):
    """What a browser's token may be for."""

    JOB = "job"
    BRAND = "brand"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The one thing that a caller reads and follows; of a group, the jobs that were ordered together."""

    kind: BoundKind
    id: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What such a token says. key_id: of the API key that it was made with. expires_at: seconds since 1970."""

    user_id: str
    bounds: Bounds
    expires_at: float
    key_id: str | None


def is_browser_token(token: str) -> bool:
    """Whether a token is meant to be one of these, whoever wrote it."""
    return token.startswith(PREFIX)


class BrowserTokens:
    """key: what they are signed with on every host alike."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(self, grant: Grant) -> str:
        """The token that says so."""
        fields = [grant.user_id, grant.bounds.kind, grant.bounds.id, int(grant.expires_at), grant.key_id]
        body = _encoded(json.dumps(fields, separators=(",", ":")).encode())
        return f"{PREFIX}{body}.{self._signature(body)}"

    def read(self, token: str) -> Grant:
        """What a token grants. Raises ValueError for one that was not made here, was changed, or has ended."""
        body, _, signature = token.removeprefix(PREFIX).partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            raise ValueError("not signed by us")
        fields: list[Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if len(fields) != _FIELDS:
            raise ValueError("of another release")
        user_id, kind, name, until, key_id = fields
        if until <= time.time():
            raise ValueError("ended")
        return Grant(user_id, Bounds(BoundKind(kind), name), float(until), key_id)

    def _signature(self, body: str) -> str:
        return _encoded(hmac.digest(self._key, body.encode(), "sha256"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
