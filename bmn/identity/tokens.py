"""Who is calling: Supabase access tokens (JWKS or shared secret), and development tokens where there is no project.

A token is checked here and nowhere else, for HTTP and sockets alike. Every refusal reads the same, so that a forger
learns nothing from it.
"""

import hashlib
import os
import re
import secrets
import time
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import jwt

from bmn.errors import NotAllowed, NotSignedIn
from bmn.identity.jwks import KeySet
from bmn.identity.refused import RefusedTokens
from bmn.identity.roles import Roles
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID, Settings

NO_TOKEN = "Authentication required: no token provided"
INVALID_TOKEN = "Authentication failed: invalid token"

DEV_ISSUER = "bmn-development"
AUDIENCE = "authenticated"
LEEWAY = 30  # seconds our clock and the issuer's may differ
MAX_TOKEN_BYTES = 8192
_CACHE_SECONDS = 60.0  # a verified token is believed this long without another look at its signature
_CACHE_SIZE = 10_000

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_SUPABASE_ISSUER = re.compile(r"https?://[^\s/]+/auth/v1")
_OPTIONS: Any = {"require": ["exp", "sub", "aud", "iss"], "strict_aud": True}
# What a hostile token can make the library raise beside its own errors: infinite times, absurd nesting, wrong types.
_REFUSALS = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. role: `user`, `admin` or `service`. expires_at: seconds since 1970, when the token ends."""

    user_id: str
    email: str | None
    role: str
    expires_at: float

    @property
    def is_admin(self) -> bool:
        """Whether they may see and change what belongs to others."""
        return self.role == "admin"


def supabase_is_configured(settings: Settings) -> bool:
    """Whether tokens come from a Supabase project, not from us."""
    return bool(settings.supabase_url or settings.supabase_jwks_url or settings.supabase_jwt_secret.get_secret_value())


def development_secret(settings: Settings) -> str:
    """The signing secret of development tokens.

    Raises NotAllowed in production and where a Supabase project is configured.
    """
    if settings.is_production or supabase_is_configured(settings):
        raise NotAllowed(
            "Development tokens are for the local server only; this one has a real Supabase project.",
            hint="Sign in through Supabase and set BMN_TOKEN to the access token.",
        )
    return home_secret(settings, "dev-secret")


def home_secret(settings: Settings, name: str) -> str:
    """A random secret kept in this home, made at first use and readable by its owner only."""
    path = settings.bmn_home / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{uuid4().hex}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # whole or not at all: two processes may start at once
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_text().strip()


def mint_development_token(
    settings: Settings,
    user_id: str = DEV_USER_ID,
    email: str | None = DEV_USER_EMAIL,
    role: str = "user",
    seconds: float = 12 * 3600,
) -> str:
    """A token of this home's own server, with the shape of Supabase's. Raises NotAllowed like `development_secret`."""
    now = int(time.time())
    claims = {
        "iss": DEV_ISSUER,
        "sub": user_id,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + int(seconds),
        "role": AUDIENCE,
        "email": email,
        "app_metadata": {"role": role},
    }
    return jwt.encode(claims, development_secret(settings), algorithm="HS256")


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
        self._refused = RefusedTokens()
        self._seen: dict[bytes, tuple[float, Principal]] = {}

    async def verify(self, token: str | None) -> Principal:
        """The caller behind a token.

        Raises NotSignedIn, the same for every reason, and TryLater where the project's keys were never reachable.
        """
        if not token:
            raise NotSignedIn(NO_TOKEN)
        if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise NotSignedIn(INVALID_TOKEN)
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
        """Somebody who was let in, with the role they have by now. Raises NotSignedIn where their account is closed."""
        if principal.role == "user" or self._roles is None:
            return principal
        role = await self._roles.now(principal.user_id, principal.role)
        if role is None:
            raise NotSignedIn(INVALID_TOKEN)
        return replace(principal, role=role)

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
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[algorithm], audience=AUDIENCE, leeway=LEEWAY, options=_OPTIONS
        )
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
        role=role if role in ("admin", "service") else "user",
        expires_at=float(claims["exp"]),
    )
