"""API keys: `bmn_live_`, 12 digits that name the key, 43 characters of secret, 8 digits that a mistyped one fails.

A key is shown once. What is kept is its SHA-256: the secret has 256 random bits, so nothing slower is needed.
"""

import hashlib
import hmac
import re
import secrets
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass

from bmn.db.accounts import api_keys
from bmn.db.accounts.api_keys import NewApiKey
from bmn.db.engine import Database
from bmn.db.records import ApiKeyRow
from bmn.errors import TryLater
from bmn.identity.guesses import Guesses
from bmn.identity.refused import KeyProblem, KeyRefused
from bmn.identity.rights import Role

PREFIX = "bmn_live_"
_SHAPE = re.compile(rf"{PREFIX}([0-9a-f]{{12}})([A-Za-z0-9_-]{{43}})([0-9a-f]{{8}})")
_BELIEVED_SECONDS = 2.0  # how long a revoked key may go on in a process that has seen it
_MOST_KNOWN = 10_000
_NOTED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A key as its holder gets it, and what is kept of it."""

    text: str
    id: str
    digest: str


def mint_key() -> MintedKey:
    """A new key."""
    key_id = secrets.token_hex(6)
    body = f"{PREFIX}{key_id}{secrets.token_urlsafe(32)}"
    text = body + _check(body)
    return MintedKey(text, key_id, _digest(text))


def new_row(minted: MintedKey, name: str, role: Role, user_id: str, lives: float | None) -> NewApiKey:
    """What is stored of a key. lives: seconds until it expires; None for never."""
    return NewApiKey(minted.id, minted.digest, name, role.value, user_id, lives)


def is_key(token: str) -> bool:
    """Whether a token is meant to be a key of ours, however it is spelled."""
    return token.startswith(PREFIX)


def read_key(text: str) -> str:
    """The id in a key. Raises KeyRefused for one that was mistyped or cut, before anybody looks it up."""
    found = _SHAPE.fullmatch(text)
    if found is None or found[3] != _check(text[:-8]):
        raise KeyRefused(KeyProblem.MISTYPED)
    return found[1]


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class ApiKeys:
    """Looks keys up. One per process: it believes a row for two seconds, so that a revoked key ends soon everywhere."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, tuple[float, ApiKeyRow]] = {}
        self._noted: dict[str, float] = {}
        self._guesses = Guesses()

    async def find(self, text: str, address: str | None = None) -> ApiKeyRow:
        """The row of a key. address: where it was shown from, so that guesses are counted.

        Raises KeyRefused, RateLimited for who guesses, and TryLater where the database is away.
        """
        key_id = read_key(text)
        self._guesses.check(key_id, address)
        row = await self._row(key_id)
        known = row is not None and hmac.compare_digest(row.digest, _digest(text))
        self._guesses.note(key_id, address, known=known)
        if row is None or not known:
            raise KeyRefused(KeyProblem.UNKNOWN, key_id)
        _check_alive(row)
        await self._note_use(key_id)
        return row

    async def check(self, key_id: str) -> None:
        """Raises KeyRefused where a key that was let in before has ended since, TryLater where that cannot be said."""
        row = await self._row(key_id)
        if row is None:
            raise KeyRefused(KeyProblem.UNKNOWN, key_id)
        _check_alive(row)

    async def _row(self, key_id: str) -> ApiKeyRow | None:
        until, known = self._known.get(key_id, (0.0, None))
        if known is not None and until > time.monotonic():
            return known
        row = await self._db.read(lambda conn: api_keys.find(conn, key_id))
        if row is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key_id] = (time.monotonic() + _BELIEVED_SECONDS, row)
        return row

    async def _note_use(self, key_id: str) -> None:
        now = time.monotonic()
        if now - self._noted.get(key_id, -_NOTED_SECONDS) < _NOTED_SECONDS:
            return
        if len(self._noted) >= _MOST_KNOWN:
            self._noted.clear()
        self._noted[key_id] = now
        with suppress(TryLater):  # when it was last used is no reason to refuse it
            await self._db.write(lambda conn: api_keys.note_use(conn, key_id))


def _check_alive(row: ApiKeyRow) -> None:
    if row.revoked_at is not None:
        raise KeyRefused(KeyProblem.REVOKED, row.id)
    if row.expires_at is not None and row.expires_at <= time.time():
        raise KeyRefused(KeyProblem.EXPIRED, row.id)
