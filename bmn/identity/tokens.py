"""Who is calling: Supabase access tokens (JWKS or shared secret), API keys of ours, and development tokens where there
is no project.

A token is checked here and nowhere else, for HTTP and sockets alike. Every refusal reads the same, so that a forger
learns nothing from it.
"""

import hashlib
import re
import time
from dataclasses import dataclass, replace
from typing import Any

import jwt

from bmn.db.accounts.audit_store import Actor
from bmn.db.records import ApiKeyRow
from bmn.errors import NotSignedIn
from bmn.identity.browser import Bounds, BrowserTokens, is_browser_token
from bmn.identity.development import AUDIENCE, DEV_ISSUER, development_secret, supabase_is_configured
from bmn.identity.jwks import KeySet
from bmn.identity.key_format import ApiKeys, is_key
from bmn.identity.refused import KeyRefused, RefusedTokens, TokenTooLong
from bmn.identity.rights import RIGHTS, Right, Role
from bmn.identity.roles import Roles
from bmn.identity.unproven import MAX_TOKEN_BYTES, is_readable
from bmn.settings import Settings

NO_TOKEN = "Authentication required: no token provided"
INVALID_TOKEN = "Authentication failed: invalid token"

LEEWAY = 30  # seconds our clock and the issuer's may differ
_CACHE_SECONDS = 60.0  # a verified token is believed this long without another look at its signature
_CACHE_SIZE = 10_000

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_SUPABASE_ISSUER = re.compile(r"https?://[^\s/]+/auth/v1")
_OPTIONS: Any = {"require": ["exp", "sub", "aud", "iss"], "strict_aud": True}
# What a hostile token can make the library raise beside its own errors: infinite times, absurd nesting, wrong types.
_REFUSALS = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. expires_at: seconds since 1970, when the token ends. key_id: of the API key that it is, if it is one.

    behind: who really asks, where a service asks on behalf of a user. bounds: the one thing that they read and follow,
    where the token is a browser's. reveals: why they look at personal data of others, where they do.
    """

    user_id: str
    email: str | None
    role: Role
    expires_at: float
    key_id: str | None = None
    behind: str | None = None
    bounds: Bounds | None = None
    reveals: str | None = None

    def may(self, right: Right) -> bool:
        """Whether their role has this right; a browser's token has one alone."""
        return right is Right.FOLLOW if self.bounds else right in RIGHTS[self.role]

    @property
    def counted_as(self) -> str:
        """The name that their requests and sockets are counted under: what browsers ask takes nothing from their user."""
        return f"{self.user_id} {self.bounds.kind}:{self.bounds.id}" if self.bounds else self.user_id

    def actor(self, address: str | None = None) -> Actor:
        """Them, for what is written down about what they do. address: where the request came from."""
        if self.behind is None:
            return Actor(self.user_id, key_id=self.key_id, address=address)
        return Actor(self.behind, key_id=self.key_id, address=address, on_behalf_of=self.user_id)


class Authenticator:
    """Verifies tokens. One per process: it keeps the project's public keys and the tokens seen lately."""

    def __init__(self, settings: Settings) -> None:
        project = settings.supabase_url.rstrip("/")
        self._issuers = settings.supabase_jwt_issuer or ((f"{project}/auth/v1",) if project else ())
        self._secret = settings.supabase_jwt_secret.get_secret_value()
        self._keys: KeySet | None = None
        self._roles: Roles | None = None
        if project and (key := settings.supabase_secret_key.get_secret_value()):
            self._roles = Roles(project, key)
        if supabase_is_configured(settings):
            if address := settings.supabase_jwks_url or (project and f"{project}/auth/v1/.well-known/jwks.json"):
                self._keys = KeySet(address)
        elif not settings.is_production:
            self._issuers = (DEV_ISSUER,)
            self._secret = development_secret(settings)
        self.api_keys: ApiKeys | None = None  # from when the database is open
        self.browser_tokens: BrowserTokens | None = None
        self._refused = RefusedTokens()
        self._seen: dict[bytes, tuple[float, Principal]] = {}

    @property
    def keys_failing(self) -> bool:
        """Whether the project's keys could not be fetched at the last attempt."""
        return self._keys is not None and self._keys.failing

    async def verify(self, token: str | None, *, address: str | None = None) -> Principal:
        """The caller behind a token. address: where it was shown from.

        Raises NotSignedIn, the same for every reason, TryLater where the project's keys were never reachable, and
        RateLimited for an address that shows one unknown key after the other.
        """
        if not token:
            raise NotSignedIn(NO_TOKEN)
        if not is_readable(token):
            self._refused.note(_unread(token), "")
            raise NotSignedIn(INVALID_TOKEN)
        if self.api_keys is not None and is_key(token):
            return await self._by_key(self.api_keys, token, address)
        if self.browser_tokens is not None and is_browser_token(token):
            return await self.current(self._by_grant(self.browser_tokens, token))
        digest = hashlib.sha256(token.encode()).digest()
        now = time.time()
        if (known := self._seen.get(digest)) is not None and known[0] > now:
            return await self.current(known[1])
        try:
            principal = _principal(await self._claims(token))
        except _REFUSALS as error:
            self._refused.note(error, token)
            raise NotSignedIn(INVALID_TOKEN) from None
        self._remember(digest, principal, now)
        return await self.current(principal)

    async def current(self, principal: Principal) -> Principal:
        """Somebody who was let in, with the role they have by now.

        Raises NotSignedIn where their account is closed or their key was revoked.
        """
        if principal.key_id is not None:
            await self._check_key(principal.key_id)
            return principal
        if principal.role is Role.USER or self._roles is None:
            return principal
        role = await self._roles.now(principal.user_id, principal.role)
        if role is None:
            raise NotSignedIn(INVALID_TOKEN)
        return replace(principal, role=Role(role))

    async def _by_key(self, keys: ApiKeys, token: str, address: str | None) -> Principal:
        try:
            row = await keys.find(token, address)
        except KeyRefused as refused:
            self._refused.note(refused, "")
            raise NotSignedIn(INVALID_TOKEN, hint=refused.hint) from None
        return _holder(row)

    def _by_grant(self, tokens: BrowserTokens, token: str) -> Principal:
        try:
            grant = tokens.read(token)
        except _REFUSALS as error:
            self._refused.note(error, "")
            raise NotSignedIn(INVALID_TOKEN) from None
        return Principal(grant.user_id, None, Role.USER, grant.expires_at, grant.key_id, bounds=grant.bounds)

    async def _check_key(self, key_id: str) -> None:
        if self.api_keys is None:
            raise NotSignedIn(INVALID_TOKEN)
        try:
            await self.api_keys.check(key_id)
        except KeyRefused as refused:
            raise NotSignedIn(INVALID_TOKEN, hint=refused.hint) from None

    async def close(self) -> None:
        """Closes what the keys and roles are fetched with."""
        for part in (self._keys, self._roles):
            if part is not None:
                await part.close()

    async def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if "crit" in header or "b64" in header:
            raise jwt.InvalidTokenError("extensions are not understood")
        # The key is chosen by the family of the algorithm, so a public key is never taken for a shared secret.
        if algorithm == "HS256" and self._secret:
            key: Any = self._secret
        elif algorithm in ("ES256", "RS256") and self._keys is not None and isinstance(key_id, str):
            key = await self._keys.find(key_id, algorithm)
        else:
            raise jwt.InvalidAlgorithmError("there is no key for it")
        try:
            claims = _decoded(token, key, algorithm)
        except jwt.InvalidSignatureError:
            if algorithm == "HS256" or self._keys is None:
                raise
            again = await self._keys.find(str(key_id), algorithm, instead_of=key)
            if again is key:
                raise
            claims = _decoded(token, again, algorithm)
        self._check_issuer(claims["iss"])
        return claims

    def _check_issuer(self, issuer: str) -> None:
        known = issuer.rstrip("/") in self._issuers if self._issuers else _SUPABASE_ISSUER.fullmatch(issuer)
        if not known:
            raise jwt.InvalidIssuerError(f"expected {' or '.join(self._issuers) or 'a Supabase project'}")

    def _remember(self, digest: bytes, principal: Principal, now: float) -> None:
        if len(self._seen) >= _CACHE_SIZE:
            self._seen = {key: entry for key, entry in self._seen.items() if entry[0] > now}
            while len(self._seen) >= _CACHE_SIZE:
                self._seen.pop(next(iter(self._seen)))
        self._seen[digest] = (min(now + _CACHE_SECONDS, principal.expires_at + LEEWAY), principal)


def _decoded(token: str, key: Any, algorithm: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=[algorithm], audience=AUDIENCE, leeway=LEEWAY, options=_OPTIONS
    )
    return claims


def _unread(token: object) -> Exception:
    """Why a token is not even looked at."""
    if isinstance(token, str) and len(token) > MAX_TOKEN_BYTES:
        return TokenTooLong(f"{len(token)} characters, {MAX_TOKEN_BYTES} at most")
    return jwt.DecodeError("it is no text in ASCII")


def _principal(claims: dict[str, Any]) -> Principal:
    """Raises ValueError for the project's own keys (`anon`, `service_role`), guests, and a sub that is no uuid."""
    subject, email = claims["sub"], claims.get("email")
    if not _UUID.fullmatch(subject):
        raise ValueError("sub is not a uuid")
    if claims.get("role") != AUDIENCE or claims.get("is_anonymous"):
        raise ValueError("not a signed-in user")
    # Only the project's service key can write app_metadata; user_metadata is the user's own to edit.
    metadata = claims.get("app_metadata")
    role = metadata.get("role") if isinstance(metadata, dict) else None
    return Principal(
        user_id=subject.lower(),
        email=email if isinstance(email, str) and 0 < len(email) <= 254 else None,
        role=Role(role) if role in (Role.ADMIN, Role.SERVICE) else Role.USER,
        expires_at=float(claims["exp"]),
    )


def _holder(row: ApiKeyRow) -> Principal:
    return Principal(row.user_id, None, Role(row.role), row.expires_at or float("inf"), row.id)
