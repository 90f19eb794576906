"""What a Supabase project says of somebody now, beside what a token said when it was made.

A role lives in a token for an hour and in a browser's session for a day. Where the project's secret key is set, an admin
is therefore asked about while they act, so that a role that is taken away is gone within half a minute.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from bmn.cleaning import identifier
from bmn.logs import get_logger
from bmn.outgoing import RoutedTransport

log = get_logger(__name__)

_BELIEVED_SECONDS = 30.0
_ANSWER_SECONDS = 10.0  # for all of an answer, which may drip


class Roles:
    """project: the address of the Supabase project. secret_key: its own key, which may read users."""

    def __init__(self, project: str, secret_key: str) -> None:
        self._users = f"{project}/auth/v1/admin/users"
        headers = {"apikey": secret_key, "Authorization": f"Bearer {secret_key}"}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(5.0),
            follow_redirects=False,
            transport=RoutedTransport(),
            trust_env=False,
        )
        self._known: dict[str, tuple[float, str | None]] = {}

    async def now(self, user_id: str, role: str) -> str | None:
        """The role that a user has; None for one who is banned or no longer there.

        role: the one they had, which stands while the project is out of reach.
        """
        asked_until, known = self._known.get(user_id, (0.0, role))
        if time.monotonic() >= asked_until:
            known = await self._ask(user_id, known)
            self._known[user_id] = time.monotonic() + _BELIEVED_SECONDS, known
        return known

    async def close(self) -> None:
        """Closes the connection to Supabase."""
        await self._client.aclose()

    async def _ask(self, user_id: str, known: str | None) -> str | None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._client.get(f"{self._users}/{user_id}")
            if answer.status_code == 404:
                return None
            if answer.status_code in (401, 403):
                log.warning(
                    "the project refuses SUPABASE_SECRET_KEY; the last answer stands",
                    status=answer.status_code,
                    error_code=_error_code(answer),
                )
                return known
            return _role(answer.raise_for_status().json())
        except (httpx.HTTPError, ValueError, TypeError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            log.warning("the project cannot be asked for a role; the last answer stands", error=reason)
            return known


def _error_code(answer: httpx.Response) -> str | None:
    """The machine word of a refusal, in the spelling of any of its versions."""
    try:
        body = answer.json()
    except ValueError:
        return None
    code = (body.get("error_code") or body.get("code")) if isinstance(body, dict) else None
    return identifier(code)


def _role(user: Mapping[str, object]) -> str | None:
    """`user` for one without a role of ours; None for one who is banned. Raises ValueError, TypeError for no user."""
    if not isinstance(user, dict) or "id" not in user:
        raise ValueError("not a user")
    if _is_banned(user.get("banned_until")):
        return None
    metadata = user.get("app_metadata")
    role = metadata.get("role") if isinstance(metadata, dict) else None
    return role if role in ("admin", "service") else "user"


def _is_banned(until: str | None) -> bool:
    return bool(until) and datetime.fromisoformat(str(until)) > datetime.now(UTC)
