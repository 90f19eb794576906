"""Who the client says it is: BMN_TOKEN, or, on the local development server, a token of this home's own."""

import contextlib
import shlex
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from bmn.errors import NotSignedIn
from bmn.identity.development import mint_development_token
from bmn.outgoing import ask
from bmn.schemas.documents import Liveness
from bmn.settings import Settings
from bmn.settings.web import is_loopback

_SECONDS = 2.0

TokenSource = Callable[[], str]
"""Answers with a bearer token that is valid now; asked again whenever the server refuses the last one."""


def is_local(settings: Settings, api_url: str) -> bool:
    """Whether a server runs on this machine: a loopback address, or the one that this home's own server listens on."""
    return is_loopback(urlsplit(api_url).hostname) or api_url == settings.own_address


def refused_hint(settings: Settings, api_url: str) -> str:
    """What to do about a token that the server refuses."""
    if settings.bmn_token.get_secret_value() or not is_local(settings, api_url):
        return "Sign in with `bmn login`, or set BMN_TOKEN to a fresh access token or a key."
    home = home_of(api_url)
    theirs = f"export BMN_HOME={shlex.quote(home)}" if home else "set the same"
    which = f", {home}" if home else ""
    return f"It runs in another BMN_HOME{which} than yours ({settings.bmn_home}): {theirs}, or set BMN_API_URL to your own."


def home_of(api_url: str) -> str | None:
    """The BMN_HOME that a development server of this machine runs in; None where it does not say."""
    with contextlib.suppress(httpx.HTTPError, ValueError):
        return Liveness.model_validate(ask(f"{api_url}/health/live", seconds=_SECONDS).json()).home
    return None


def token_source(settings: Settings, api_url: str, *, role: str = "user") -> TokenSource:
    """Where tokens for this server come from. role: `user` or `admin`, for tokens we sign ourselves.

    The source raises NotSignedIn where there is no token and the server is not ours to sign for.
    """

    def get() -> str:
        if token := settings.bmn_token.get_secret_value():
            return token
        if is_local(settings, api_url):
            return mint_development_token(settings, role=role)
        raise NotSignedIn(
            f"No token for {api_url}.",
            hint="Sign in with `bmn login`, or set BMN_TOKEN to a key or an access token of that server.",
        )

    return get
