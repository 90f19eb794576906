"""What the clients of Google's API share: the SDK with its retries off, and the way from its errors to ours."""

from collections.abc import Iterator
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types
from pydantic import ValidationError

from bmn.errors import JobFailure
from bmn.providers.documented import documented
from bmn.providers.failures import failure_of_status, failure_of_transport, garbage, retry_after
from bmn.settings import ProviderAccess

LABEL = "Google"


def open_sdk(access: ProviderAccess, http: httpx2.AsyncClient, seconds: float) -> genai.Client:
    """The SDK against the Developer API; exactly one request a call, whatever the environment says."""
    return genai.Client(
        api_key=access.api_key,
        vertexai=False,
        http_options=types.HttpOptions(
            base_url=access.base_url,
            timeout=int(seconds * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),
            httpx_async_client=http,
            client_args={"trust_env": False},  # for a client that it makes beside ours and that nothing uses
        ),
    )


def google_failure(error: Exception, *, paid: bool) -> JobFailure | None:
    """Our failure for an exception of the SDK; None for what Google never raises."""
    if isinstance(error, errors.APIError):
        return failure_of_answer(error.code or 500, error.details, error.response, paid=paid)
    if isinstance(error, errors.UnknownApiResponseError | ValidationError):
        return garbage(LABEL, paid=paid)
    return failure_of_transport(LABEL, error, paid=paid)


def failure_of_answer(status: int, body: Any, response: Any, *, paid: bool) -> JobFailure:
    """Our failure for an error answer: what its details say, then its status word, then its HTTP status."""
    known = _problem(body)
    headers = getattr(response, "headers", None) or {}
    details = [one for one in _list(known.get("details")) if isinstance(one, dict)]
    text = known.get("message")
    meaning = documented("google", status, [*_codes(details), str(known.get("status"))], text=str(text))
    return failure_of_status(
        LABEL, status, meaning=meaning, said=text, paid=paid, retry_after=_delay(details) or retry_after(headers)
    )


def _codes(details: list[Any]) -> Iterator[str]:
    """The machine words of google.rpc's details: which quota, the reason, and that a field is wrong."""
    violations = [one for detail in details for one in _list(detail.get("violations")) if isinstance(one, dict)]
    quotas = [str(one.get("quotaId", "")) for one in violations]
    if any(str(one.get("quotaValue")) == "0" for one in violations):
        yield "quota:none"
    if any("PerDay" in quota for quota in quotas):
        yield "quota:day"  # a minute's wait does not help against it
    elif any(quotas):
        yield "quota:minute"
    for detail in details:
        if isinstance(reason := detail.get("reason"), str):
            unit = str(_dict(detail.get("metadata")).get("quota_unit", ""))
            yield "quota:day" if reason == "RATE_LIMIT_EXCEEDED" and unit.startswith("1/d") else reason
    if any(_list(detail.get("fieldViolations")) for detail in details):
        yield "field"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _problem(body: Any) -> dict[str, Any]:
    """The `error` of a body, which a stream and some gateways send as a list of one."""
    first = body[0] if isinstance(body, list) and body else body
    problem = first.get("error", first) if isinstance(first, dict) else {}
    return _dict(problem)


def _delay(details: list[Any]) -> float | None:
    """The `retryDelay` of a RetryInfo, such as `30s`."""
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str):
            return retry_after({"retry-after": delay.removesuffix("s")})
    return None
