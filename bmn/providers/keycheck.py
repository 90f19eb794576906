"""Whether a provider takes our key: one call of each that its price list does not know."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx

from bmn.outgoing import ask
from bmn.settings import ProviderAccess, Settings

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What a provider said of a key. said: in words, without the key."""

    state: Literal["taken", "refused", "empty", "unclear"]
    said: str


@dataclass(frozen=True, slots=True)
class _Call:
    path: str
    headers: Callable[[str], dict[str, str]]


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# Each answers at once and is billed nowhere: a balance, or the first line of a list.
_CALLS = {
    "bfl": _Call("/v1/credits", lambda key: {"x-key": key}),
    "openai": _Call("/models", _bearer),
    "google": _Call("/v1beta/models?pageSize=1", lambda key: {"x-goog-api-key": key}),
    "anthropic": _Call("/v1/models?limit=1", lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"}),
    "resend": _Call("/domains", _bearer),
    "ghl": _Call("/locations/{location}", lambda key: {**_bearer(key), "Version": "{version}"}),
}


def check_key(settings: Settings, name: str, access: ProviderAccess) -> KeyCheck:
    """Asks one provider. Never raises for what it answers, or does not."""
    call = _CALLS[name]
    path = call.path.format(location=settings.ghl_location_id)
    headers = {
        key: value.replace("{version}", settings.ghl_api_version) for key, value in call.headers(access.api_key).items()
    }
    try:
        found = ask(f"{access.base_url}{path}", seconds=_SECONDS, headers=headers)
    except httpx.HTTPError as error:
        return KeyCheck("unclear", f"does not answer: {type(error).__name__}")
    return _read(name, found)


def _read(name: str, found: httpx.Response) -> KeyCheck:
    status = found.status_code
    if name == "resend" and status == httpx.codes.UNAUTHORIZED and "restricted_api_key" in found.text[:500]:
        return KeyCheck("taken", "takes the key, which may only send")
    if name == "google" and status == httpx.codes.BAD_REQUEST and "API_KEY_INVALID" in found.text[:2000]:
        return KeyCheck("refused", "refuses the key")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return KeyCheck("refused", f"refuses the key ({status})")
    if status == httpx.codes.PAYMENT_REQUIRED:
        return KeyCheck("empty", "takes the key, but the account is empty")
    if status >= httpx.codes.BAD_REQUEST:
        return KeyCheck("unclear", f"answers {status}")
    if name == "bfl" and (left := _credits(found)) is not None:
        return KeyCheck("empty" if left <= 0 else "taken", f"takes the key, {left:g} credits left")
    return KeyCheck("taken", "takes the key")


def _credits(found: httpx.Response) -> float | None:
    try:
        return float(found.json()["credits"])
    except (ValueError, KeyError, TypeError):
        return None
