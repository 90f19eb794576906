"""Tokens that a development server signs by itself, and the secrets of a home they are signed with.

Clients sign theirs with these as well, so nothing of a server is needed here.
"""

import os
import secrets
import time
from uuid import uuid4

import jwt

from bmn.errors import NotAllowed
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID, Settings

DEV_ISSUER = "bmn-development"
AUDIENCE = "authenticated"


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
