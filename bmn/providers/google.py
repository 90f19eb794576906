"""What the clients of Google's API share: the SDK with its retries off, and the way from its errors to ours."""

import re
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types
from pydantic import ValidationError

from bmn.errors import Cause, JobFailure, Moderated
from bmn.providers.failures import cause_of_status, failure_of_status, failure_of_transport, garbage, retry_after
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
    """Our failure for an error answer: its status, and what its JSON body says beside."""
    known = _problem(body)
    headers = getattr(response, "headers", None) or {}
    text = str(known.get("details", "")) + str(known.get("message", ""))
    cause = cause_of_status(status)
    if status == 400 and "API_KEY_INVALID" in text:
        cause = Cause.PROVIDER_AUTH
    if status == 429 and re.search(r"PerDay|per day|billing", text):
        cause = Cause.PROVIDER_CREDIT  # a minute's wait does not help against a day's quota
    if cause is Cause.BAD_INPUT and re.search(r"(?i)safety|prohibited|policy", text):
        return Moderated("The service declined this content.", status=status)
    return failure_of_status(
        LABEL, status, cause=cause, paid=paid, retry_after=_delay(known.get("details")) or retry_after(headers)
    )


def _problem(body: Any) -> dict[str, Any]:
    problem = body.get("error", body) if isinstance(body, dict) else {}
    return problem if isinstance(problem, dict) else {}


def _delay(details: Any) -> float | None:
    """The `retryDelay` of a RetryInfo, such as `30s`."""
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return retry_after({"retry-after": delay.removesuffix("s")})
    return None
