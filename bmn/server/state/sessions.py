"""Browser sign-in: a cookie that names a session in Redis. It is obtained with a single-use, short-lived ticket.

Redis holds digests only, so reading it signs nobody in, and sealed ones, so writing to it does not either. Links with a
ticket come from `POST /api/v1/session`.
"""

import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from bmn.broker import redis_keys
from bmn.errors import NotAllowed, NotSignedIn
from bmn.identity.rights import Role
from bmn.identity.tokens import Authenticator, Principal
from bmn.jobs.core import Core
from bmn.signing import Signer

TICKET_SECONDS = 120
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SPENT = "This sign-in link has been used already, or is too old."


class BrowserSessions:
    """One per process; what it knows is in Redis, so every server process sees the same sessions."""

    def __init__(self, core: Core, auth: Authenticator, signer: Signer) -> None:
        self._auth = auth
        self._signer = signer
        address = urlsplit(core.settings.public_address)
        self._redis = core.redis
        self._secure = address.scheme == "https"
        # A cookie is shared by all ports of a host, so two servers on one machine need two names.
        port = address.port or (443 if self._secure else 80)
        self._cookie = (
            f"bmn-session-{port}" if not self._secure else f"__Host-bmn-session{'' if port == 443 else f'-{port}'}"
        )

    async def issue_ticket(self, principal: Principal, path: str) -> str:
        """A ticket that signs its holder in as this principal, once. path: the page they came for."""
        ticket = secrets.token_urlsafe(32)
        await self._keep(_key("ticket", ticket), [*_fields(principal), path], TICKET_SECONDS)
        return ticket

    async def redeem(self, ticket: str) -> tuple[Principal, str]:
        """Whose ticket it was, and the page it leads to. Raises NotSignedIn for one that is spent, old or made up."""
        key = _key("ticket", ticket)
        kept = self._read(key, await self._redis.getdel(key))
        if kept is None:
            raise NotSignedIn(_SPENT, hint="Run `bmn open` for a new one.")
        *fields, path = kept
        return _principal(fields, time.time() + redis_keys.SESSION_SECONDS), path

    async def begin(self, connection: HTTPConnection, response: Response, principal: Principal) -> None:
        """Starts a session of 24 hours, gives its cookie to the response, and ends the one there was before."""
        await self.end(connection, response)
        name = secrets.token_urlsafe(32)
        await self._keep(_key("browser", name), _fields(principal), redis_keys.SESSION_SECONDS)
        response.set_cookie(
            self._cookie,
            name,
            max_age=redis_keys.SESSION_SECONDS,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    async def end(self, connection: HTTPConnection, response: Response) -> None:
        """Ends a session."""
        if name := connection.cookies.get(self._cookie):
            await self._redis.delete(_key("browser", name))
            response.delete_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="strict")

    async def find(self, connection: HTTPConnection) -> Principal | None:
        """Who is signed in, with the role they have by now; None for nobody."""
        name = connection.cookies.get(self._cookie)
        if not name or len(name) > 100:
            return None
        key = _key("browser", name)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(key)
            pipe.ttl(key)
            found, left = await pipe.execute()
        if (kept := self._read(key, found)) is None:
            return None
        try:
            return await self._auth.current(_principal(kept, time.time() + max(0, left)))
        except NotSignedIn:
            return None

    async def find_for(self, connection: HTTPConnection) -> Principal | None:
        """The same for a request that may change something, which has to come from a page of ours. Raises NotAllowed."""
        principal = await self.find(connection)
        if principal is not None and connection.scope.get("method") not in _SAFE_METHODS:
            require_same_origin(connection)
        return principal

    async def _keep(self, key: str, fields: list[str | None], seconds: int) -> None:
        await self._redis.set(key, self._signer.sealed(key, json.dumps(fields)), ex=seconds)

    def _read(self, key: str, found: Any) -> list[Any] | None:
        """The fields kept under a key; None where there are none, or somebody else has written them."""
        text = self._signer.opened(key, str(found)) if found else None
        fields: list[Any] | None = json.loads(text) if text else None
        return fields


def require_same_origin(connection: HTTPConnection) -> None:
    """Raises NotAllowed unless the request was made by a page of this very address."""
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None:
        allowed = site == "same-origin"
    else:  # a browser from before 2023
        allowed = origin is not None and origin.partition("://")[2] == connection.headers.get("host", "-")
    if not allowed:
        raise NotAllowed("This was asked for by another site.", hint="Open the page itself and try again.")


def require_own_page(connection: HTTPConnection) -> None:
    """The same for what is only looked at: an address that somebody has typed or kept is fine too."""
    if connection.headers.get("sec-fetch-site", "none") != "none":
        require_same_origin(connection)


def _key(kind: str, name: str) -> str:
    return redis_keys.session(f"{kind}:{hashlib.sha256(name.encode()).hexdigest()}")


def _fields(principal: Principal) -> list[str | None]:
    """With its key, where it is one: a session that a key began ends with it."""
    key = [principal.key_id] if principal.key_id else []
    return [principal.user_id, principal.email, principal.role, *key]


def _principal(fields: list[Any], expires_at: float) -> Principal:
    user_id, email, role, *key = fields
    return Principal(user_id, email, Role(role), expires_at, *key)
