"""Whether the settings of sign-in belong together: address, secret, keys and issuer of one Supabase project."""

from collections.abc import Iterator
from typing import Any

import httpx
import jwt

from bmn.errors import BmnError
from bmn.identity.development import supabase_is_configured
from bmn.identity.jwks import usable_keys
from bmn.identity.key_format import is_key, read_key
from bmn.identity.refused import KeyRefused, why
from bmn.identity.tokens import Authenticator
from bmn.outgoing import ask
from bmn.settings import Settings

_SECONDS = 5.0
Problem = tuple[str, str]
"""What does not fit, and what to do."""


def problems(settings: Settings) -> Iterator[Problem]:
    """What does not fit; nothing where no project is configured. Asks the project's public addresses."""
    if not supabase_is_configured(settings):
        return
    secret = settings.supabase_jwt_secret.get_secret_value()
    project = settings.supabase_url
    for name in ("supabase_secret_key", "supabase_publishable_key"):
        yield from _key(name.upper(), getattr(settings, name).get_secret_value(), secret, project)
    if project:
        yield from _issuer(project, settings)
    if address := settings.supabase_jwks_url or (project and f"{project}/auth/v1/.well-known/jwks.json"):
        yield from _key_set(address, has_secret=bool(secret))


def _key(name: str, key: str, secret: str, project: str) -> Iterator[Problem]:
    """The older keys of a project are tokens, signed with its secret."""
    try:
        claims: dict[str, Any] = jwt.decode(key, options={"verify_signature": False})
        algorithm = jwt.get_unverified_header(key).get("alg")
    except jwt.PyJWTError:
        return  # a key of the newer kind
    if secret and algorithm == "HS256":
        try:
            jwt.decode(key, secret, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False})
        except jwt.PyJWTError:
            yield f"SUPABASE_JWT_SECRET is not the one that signed {name}", "Copy both from one project's settings."
    reference = claims.get("ref")
    if reference and project.endswith(".supabase.co") and f"//{reference}." not in project:
        yield (
            f"{name} is of the project {reference}, and SUPABASE_URL of another",
            "Copy both from one project's settings.",
        )


def _issuer(project: str, settings: Settings) -> Iterator[Problem]:
    """What the project itself says it writes into tokens; older servers do not say."""
    issuer = None
    try:
        answer = ask(f"{project}/auth/v1/.well-known/openid-configuration", seconds=_SECONDS)
        if answer.status_code == httpx.codes.OK:
            issuer = answer.json().get("issuer")
    except (httpx.HTTPError, ValueError, AttributeError):
        return  # it is away, which the key set's check says
    expected = settings.supabase_jwt_issuer or (f"{project}/auth/v1",)
    if isinstance(issuer, str) and issuer.rstrip("/") not in expected:
        yield (
            f"its tokens have the issuer {issuer[:200]}, and {' or '.join(expected)} is expected",
            f"Set SUPABASE_JWT_ISSUER={issuer[:200]}",
        )


def _key_set(address: str, *, has_secret: bool) -> Iterator[Problem]:
    try:
        answer = ask(address, seconds=_SECONDS)
        found = usable_keys(answer.json()) if answer.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, ValueError) as error:
        yield f"{address} cannot be read: {type(error).__name__}", "Is SUPABASE_URL right, and reachable from here?"
        return
    if found is None:
        yield f"{address} answers {answer.status_code}", "Is SUPABASE_URL the project's own address?"
    elif not found and not has_secret:
        yield (
            "the project has no public keys, and no secret is set",
            "Set SUPABASE_JWT_SECRET, or give it signing keys.",
        )


async def token_problem(settings: Settings, token: str) -> Problem | None:
    """Why a server with these settings would refuse a token; None where it would take it."""
    if is_key(token):
        return _key_problem(token)
    authenticator = Authenticator(settings)
    try:
        await authenticator.verify(token)
    except BmnError as error:
        cause = error.__context__
        reason, remedy = why(cause) if isinstance(cause, Exception) else ("keys", error.message)
        detail = f": {cause}" if cause else ""
        return f"BMN_TOKEN would be refused ({reason}{detail})", remedy
    finally:
        await authenticator.close()
    return None


def _key_problem(token: str) -> Problem | None:
    """Of an API key only its spelling is looked at: whether it lets in is for the server to say."""
    try:
        read_key(token)
    except KeyRefused as error:
        reason, remedy = why(error)
        return f"BMN_TOKEN would be refused ({reason})", remedy
    return None
