"""Why tokens are refused, for operators: the answer says nothing, so that a forger learns nothing from it; the log does."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

import jwt

from bmn.identity.unproven import said_by
from bmn.logs import get_logger

log = get_logger(__name__)

_AGAIN_SECONDS = 60.0
_LONGEST = 160


class TokenTooLong(jwt.InvalidTokenError):
    """A token that is not looked at."""


# By the error that PyJWT raises: a word to search for, and what to look at.
_REASONS: dict[type[Exception], tuple[str, str]] = {
    jwt.ExpiredSignatureError: ("expired", "The client has to renew its token; or one of the clocks is wrong."),
    jwt.ImmatureSignatureError: ("not_yet_valid", "The issuer's clock and ours differ: run a time service on both."),
    jwt.InvalidIssuerError: ("issuer", "Where this is your own Supabase, name its issuer in SUPABASE_JWT_ISSUER."),
    jwt.InvalidAudienceError: ("audience", "Tokens of signed-in users have the audience `authenticated`."),
    jwt.InvalidSignatureError: (
        "signature",
        "SUPABASE_JWT_SECRET or SUPABASE_URL is another project's; on a development server, BMN_HOME another one.",
    ),
    jwt.InvalidAlgorithmError: (
        "algorithm",
        "HS256 needs SUPABASE_JWT_SECRET, ES256 and RS256 need SUPABASE_URL (or SUPABASE_JWKS_URL).",
    ),
    jwt.InvalidKeyError: ("key", "The key is not in the project's key set: is SUPABASE_URL the issuer's project?"),
    jwt.MissingRequiredClaimError: ("claim", "It is not a Supabase access token."),
    TokenTooLong: ("too_long", "It carries too much: keep what is large out of the account's metadata."),
    jwt.InvalidTokenError: ("claim", "A claim of it is not what Supabase writes into access tokens."),
    jwt.DecodeError: ("no_token", "It is not a JWT: an API key or a cut token was sent."),
}
_USER = (
    "user",
    "It does not belong to a signed-in user: the project's own key, a guest, or a `sub` that is no uuid was sent.",
)


class KeyProblem(StrEnum):
    """Why an API key is refused."""

    MISTYPED = "key_mistyped"
    UNKNOWN = "key_unknown"
    REVOKED = "key_revoked"
    EXPIRED = "key_expired"


_KEYS: dict[KeyProblem, str] = {
    KeyProblem.MISTYPED: "The key is mistyped or cut: copy it again, whole.",
    KeyProblem.UNKNOWN: "No such key was made here: is it another deployment's?",
    KeyProblem.REVOKED: "The key was revoked: make another with `bmn keys create`.",
    KeyProblem.EXPIRED: "The key has expired: make another with `bmn keys create`.",
}


class KeyRefused(Exception):
    """An API key that lets nobody in. key_id: where it has one."""

    def __init__(self, problem: KeyProblem, key_id: str | None = None) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.key_id = key_id

    @property
    def hint(self) -> str | None:
        """What its holder is told; nothing of one that nobody holds, so that a forger learns nothing."""
        return None if self.problem is KeyProblem.UNKNOWN else _KEYS[self.problem]


@dataclass(slots=True)
class RefusedTokens:
    """Says each reason once a minute, with how often it came since."""

    _said: dict[str, float] = field(default_factory=dict)
    _unsaid: Counter[str] = field(default_factory=Counter)

    def note(self, error: Exception, token: str) -> None:
        """Logs why a token was refused; the same reason again only after a while, with how often."""
        reason, remedy = why(error)
        now = time.monotonic()
        if now - self._said.get(reason, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            self._unsaid[reason] += 1
            return
        self._said[reason] = now
        more = self._unsaid.pop(reason, 0)
        shown = {"key": error.key_id} if isinstance(error, KeyRefused) else _shown(token)
        detail = {name: _short(value) for name, value in shown.items()}
        log.warning(
            "token_refused", reason=reason, detail=_short(str(error)), refused=1 + more, remedy=remedy, **detail
        )


def why(error: Exception) -> tuple[str, str]:
    """A reason out of a closed set, and what to do about it."""
    if isinstance(error, KeyRefused):
        return error.problem.value, _KEYS[error.problem]
    for kind in type(error).__mro__:
        if found := _REASONS.get(kind):
            return found
    return _USER if isinstance(error, ValueError) else _REASONS[jwt.DecodeError]


def _shown(token: str) -> dict[str, object]:
    """What of an unverified token helps to find its maker: never its signature, its user or its mail."""
    header, claims = said_by(token)
    if not header:
        return {}
    return {
        **{name: header.get(name) for name in ("alg", "kid")},
        **{name: claims.get(name) for name in ("iss", "aud")},
    }


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return ascii(text)[1:-1][:_LONGEST]
