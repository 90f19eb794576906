"""The public keys of a Supabase project: fetched over HTTP, cached, kept when the address is away."""

import asyncio
import time
from typing import Any

import httpx
import jwt

from bmn.errors import TryLater
from bmn.logs import get_logger
from bmn.outgoing import RoutedTransport

log = get_logger(__name__)

_FRESH_SECONDS = 600.0  # the address is edge-cached this long; asking more often shows nothing new
_KEPT_SECONDS = 86_400.0  # how long the last good keys serve while the address is away
_REFRESH_SECONDS = 30.0  # a flood of unknown key ids costs one request in this time
_ANSWER_SECONDS = 10.0  # for all of an answer: one that drips would hold up everybody who signs in
_MAX_BYTES = 65_536
_KEY_TYPES = {"EC": "ES256", "RSA": "RS256"}


class KeySet:
    """Keys by id, each pinned to the one algorithm of its type. Times are of the monotonic clock, in seconds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(5.0), follow_redirects=False, transport=RoutedTransport(), trust_env=False
        )
        self._keys: dict[str, tuple[str, Any]] = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._failing = False
        self._lock = asyncio.Lock()

    async def find(self, key_id: str, algorithm: str, *, instead_of: Any = None) -> Any:
        """The key. Raises jwt.InvalidKeyError for an unknown id or the wrong algorithm, TryLater before any key.

        instead_of: a key that did not fit, since a project may give its id to another; where no other is known, it is
        asked once more, and it is the answer if there is none.
        """
        if instead_of is not None and self._keys.get(key_id, ("", None))[1] is instead_of:
            await self._refresh(None)
        elif key_id not in self._keys or self._age() > _FRESH_SECONDS:
            await self._refresh(key_id)
        if self._age() > _KEPT_SECONDS:
            raise TryLater("Sign-in cannot be checked: the project's keys are out of reach.", retry_after=30)
        pinned, key = self._keys.get(key_id, ("", None))
        if pinned != algorithm:
            raise jwt.InvalidKeyError("no such key")
        return key

    @property
    def failing(self) -> bool:
        """Whether the last attempt to fetch the keys failed."""
        return self._failing

    async def close(self) -> None:
        """Closes the connection to whoever publishes the keys."""
        await self._client.aclose()

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else time.monotonic() - self._fetched_at

    async def _refresh(self, key_id: str | None) -> None:
        async with self._lock:
            if key_id in self._keys and self._age() <= _FRESH_SECONDS:
                return  # somebody else fetched while we waited
            if self._asked_at is not None and time.monotonic() - self._asked_at < _REFRESH_SECONDS:
                return
            self._asked_at = time.monotonic()
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    keys = await self._fetch()
            except (httpx.HTTPError, ValueError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
                log.warning("the project's keys could not be fetched; the last good ones serve on", error=reason)
                self._failing = True
                return
            self._failing = False
            self._keys, self._fetched_at = keys, time.monotonic()

    async def _fetch(self) -> dict[str, tuple[str, Any]]:
        body = bytearray()
        async with self._client.stream("GET", self._url) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise ValueError("the key document is larger than 64 KiB")
        document = httpx.Response(200, content=bytes(body)).json()
        keys = usable_keys(document)
        if self._keys and not keys:
            raise ValueError("the key document is empty")
        return keys


def usable_keys(document: Any) -> dict[str, tuple[str, Any]]:
    """The keys of a key document, by id, each with its algorithm. Raises ValueError where it is none."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("the key document has no list of keys")
    return {str(row["kid"]): found for row in document["keys"] if (found := _usable(row)) is not None}


def _usable(row: Any) -> tuple[str, Any] | None:
    """(algorithm, key) of a JWK that may sign tokens here; None for every other one."""
    if not isinstance(row, dict) or not isinstance(row.get("kid"), str) or row.get("use", "sig") != "sig":
        return None
    algorithm = _KEY_TYPES.get(str(row.get("kty")))
    if algorithm is None or row.get("alg", algorithm) != algorithm:
        return None
    if algorithm == "ES256" and row.get("crv") != "P-256":
        return None
    try:
        # Only the public half counts, whatever the document holds.
        return algorithm, jwt.PyJWK({k: v for k, v in row.items() if k != "d"}, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError):
        return None
