"""Tokens that a development server signs by itself.

Clients sign theirs with these as well, so nothing of a server is needed here.
"""

import time

import jwt

from bmn.errors import NotAllowed
from bmn.identity.home_secrets import DEVELOPMENT, home_secret
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID, Settings, variable_of

DEV_ISSUER = "bmn-development"
AUDIENCE = "authenticated"


def supabase_is_configured(settings: Settings) -> bool:
    """Whether tokens come from a Supabase project, not from us."""
    return bool(settings.supabase_url or settings.supabase_jwks_url or settings.supabase_jwt_secret.get_secret_value())


def issues_tokens(settings: Settings) -> bool:
    """Whether tokens are this home's own."""
    return _other_issuer(settings) is None


def development_secret(settings: Settings) -> str:
    """The signing secret of development tokens.

    Raises NotAllowed in production and where a Supabase project is configured, with the setting that is in the way, and
    Misconfigured where the secret cannot be read or made.
    """
    if found := _other_issuer(settings):
        what, hint = found
        raise NotAllowed(f"bmn issues no tokens here: {what}", hint=hint)
    return home_secret(settings, DEVELOPMENT)


def _other_issuer(settings: Settings) -> tuple[str, str] | None:
    """Who issues the tokens instead of us, by the setting that says so, and what to do; None where we do."""
    sign_in = "Sign in there, and set BMN_TOKEN to the access token"
    if settings.supabase_url:
        what = (
            f"{variable_of('supabase_url')} is set, and the project {settings.supabase_url} signs its users in itself."
        )
    elif settings.supabase_jwks_url:
        what = (
            f"{variable_of('supabase_jwks_url')} is set. It has public keys, which verify tokens and cannot sign any;"
            " who has the private ones does."
        )
    elif settings.supabase_jwt_secret.get_secret_value():
        what = f"{variable_of('supabase_jwt_secret')} is set, and it is the project's that signs tokens with it."
    elif settings.is_production:
        what = f"{variable_of('bmn_env')} is production, and neither SUPABASE_URL nor SUPABASE_JWT_SECRET is set."
        return what, "Set them to your project's; or, for development tokens, unset it."
    else:
        return None
    if settings.is_production:
        return what, f"{sign_in}."
    return what, f"{sign_in}; or unset it for a development server, and start that again."


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
