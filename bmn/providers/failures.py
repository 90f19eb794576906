"""From a vendor's status codes, headers and broken connections to the causes of `bmn.errors`.

Nothing that a vendor wrote reaches a message, but the status, the request id and the name of a field. Its own sentence goes
with the failure as `said`, cleaned and redacted, for operators.
"""

import json
import re
import time
import traceback
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from bmn.cleaning import sentence
from bmn.errors import Cause, JobFailure, Misconfigured, Moderated
from bmn.providers.documented import Documented
from bmn.redaction import redact

LONGEST_WAIT = 120.0  # seconds; a longer Retry-After is cut to this, and the job simply asks again then

_CAUSES: dict[int, Cause] = {
    401: Cause.PROVIDER_AUTH,
    402: Cause.PROVIDER_CREDIT,
    403: Cause.PROVIDER_AUTH,
    # The address is ours and fixed, so what is not found is the model of our settings: all jobs would fail alike.
    404: Cause.PROVIDER_AUTH,
    408: Cause.PROVIDER_TIMEOUT,
    409: Cause.PROVIDER_OVERLOADED,
    429: Cause.PROVIDER_RATE_LIMITED,
    499: Cause.PROVIDER_OVERLOADED,
    504: Cause.PROVIDER_TIMEOUT,
    524: Cause.PROVIDER_TIMEOUT,
}
_WORDS: dict[Cause, str] = {
    Cause.BAD_INPUT: "does not accept the request",
    Cause.PROVIDER_AUTH: "refuses our key or does not know the model",
    Cause.PROVIDER_CREDIT: "says that our account is empty",
    Cause.PROVIDER_RATE_LIMITED: "asks us to slow down",
    Cause.PROVIDER_TIMEOUT: "did not finish in time",
    Cause.PROVIDER_OVERLOADED: "is not well",
    Cause.PROVIDER_GARBAGE: "sent an answer that cannot be read",
}


_SDKS = ("anthropic", "google", "openai")


class UnreadableAnswer(Exception):
    """A body that is too large, encoded though we asked for none, or not what the wire format says."""


def cause_of_status(status: int) -> Cause:
    """The cause that an HTTP status stands for."""
    if status in _CAUSES:
        return _CAUSES[status]
    if status >= 500:
        return Cause.PROVIDER_OVERLOADED
    return Cause.BAD_INPUT if status >= 400 else Cause.PROVIDER_GARBAGE


def failure_of_status(
    label: str,
    status: int,
    *,
    meaning: Documented | None = None,
    said: object = None,
    paid: bool = False,
    retry_after: float | None = None,
    request_id: str | None = None,
    field: str | None = None,
) -> JobFailure:
    """The failure for an HTTP status.

    meaning: what the vendor's reference says of its code, where that says more than the status. said: its sentence.
    """
    cause = meaning.cause if meaning is not None else cause_of_status(status)
    words = (meaning.words if meaning is not None else None) or _WORDS.get(cause, "refused")
    own = redact(sentence(said) or "") or None
    if cause is Cause.MODERATED:
        return Moderated("The image service declined this content.", status=status, said=own)
    if cause is Cause.BAD_INPUT:
        label = "The service"  # its user reads this, to mend the field
    details = [f"HTTP {status}"]
    if field and (clean := re.sub(r"[^\w.\[\]-]", "", field)[:60]):
        details.append(f"field {clean}")
    if request_id and (clean := re.sub(r"[^\w-]", "", request_id)[:64]):
        details.append(f"request {clean}")
    return JobFailure(
        cause,
        f"{label} {words} ({', '.join(details)}).",
        said=own,
        retry_after=retry_after if cause in (Cause.PROVIDER_RATE_LIMITED, Cause.PROVIDER_OVERLOADED) else None,
        hint="The model in the settings may have ended; set one that the provider lists." if status == 404 else None,
        # The vendor gave up waiting for itself, or answered nonsense: it may have done the work, and billed it.
        ambiguous=paid and cause in (Cause.PROVIDER_TIMEOUT, Cause.PROVIDER_GARBAGE),
        status=status,
        request_id=request_id,
    )


def failure_of_transport(label: str, error: BaseException, *, paid: bool) -> JobFailure | None:
    """The failure for a broken connection, a timeout or an unreadable body; None for any other exception.

    SDKs wrap the transport's exceptions, so the chain of causes is searched.
    """
    for link in _chain(error):
        if isinstance(link, UnreadableAnswer | httpx2.DecodingError | json.JSONDecodeError):
            return garbage(label, paid=paid)
        if isinstance(link, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.PoolTimeout):
            return JobFailure(Cause.PROVIDER_OVERLOADED, f"{label} could not be reached; nothing was sent.")
        if isinstance(link, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
            return JobFailure(Cause.PROVIDER_AUTH, f"The address of {label} in the settings cannot be used.")
        if isinstance(link, httpx2.TimeoutException | TimeoutError):
            return JobFailure(Cause.PROVIDER_TIMEOUT, f"{label} did not answer in time.", ambiguous=paid)
        if isinstance(link, httpx2.TransportError | httpx2.StreamError):
            cause = Cause.PROVIDER_TIMEOUT if paid else Cause.PROVIDER_OVERLOADED
            return JobFailure(cause, f"The connection to {label} broke before its answer came.", ambiguous=paid)
    # What parsers raise for bytes that are no text, numbers of thousands of digits, and documents without an end.
    if any(isinstance(link, ValueError | RecursionError | OverflowError) for link in _chain(error)):
        return garbage(label, paid=paid)
    return garbage(label, paid=paid) if _is_of_a_library(error) else None


def _is_of_a_library(error: BaseException) -> bool:
    """Whether a vendor's SDK stumbled over an answer that lacks what it takes for granted; else it is a defect of ours."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__")).partition(".")[0] in _SDKS


def failure_unsent(label: str, error: BaseException) -> JobFailure | None:
    """The failure for a request of which nothing reached the wire, so that it surely cost nothing; None for a defect."""
    for link in _chain(error):
        if isinstance(link, Misconfigured):
            return JobFailure(Cause.PROVIDER_AUTH, link.message, hint=link.hint)
        if isinstance(link, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
            return JobFailure(Cause.PROVIDER_AUTH, f"The address of {label} in the settings cannot be used.")
        if isinstance(link, httpx2.LocalProtocolError | UnicodeEncodeError):
            return JobFailure(Cause.PROVIDER_AUTH, f"The key of {label} in the settings holds what no header may.")
        if isinstance(link, httpx2.ProxyError):
            return JobFailure(
                Cause.PROVIDER_OVERLOADED,
                f"The proxy on the way to {label} does not let us through; nothing was sent.",
                hint="See HTTPS_PROXY and NO_PROXY.",
            )
        if isinstance(link, httpx2.TransportError | TimeoutError):
            return JobFailure(Cause.PROVIDER_OVERLOADED, f"{label} could not be reached; nothing was sent.")
    return None


def garbage(label: str, *, paid: bool = False) -> JobFailure:
    """An answer that cannot be read. paid: the request was taken, and so may have been billed."""
    return JobFailure(Cause.PROVIDER_GARBAGE, f"{label} {_WORDS[Cause.PROVIDER_GARBAGE]}.", ambiguous=paid)


def retry_after(headers: Mapping[str, str], body: Any = None) -> float | None:
    """Seconds to wait: `retry-after-ms`, `retry-after` in seconds or as a date, or `retry_after` in a JSON body."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _clamp(milliseconds / 1000)
    text = headers.get("retry-after")
    if text is None:
        return _clamp(_number(body.get("retry_after"))) if isinstance(body, dict) else None
    seconds = _number(text)
    return _clamp(seconds if seconds is not None else _until(text))


_AMOUNT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")  # of any length, as whoever waits cuts it


def _number(value: Any) -> float | None:
    """A number of JSON, or of a header. `inf` is none, and what no clock can hold is cut by whoever waits."""
    if isinstance(value, str):
        return float(value) if _AMOUNT.fullmatch(value.strip()) else None
    if not isinstance(value, int | float) or value != value:
        return None
    return float(min(max(value, -LONGEST_WAIT), LONGEST_WAIT * 1000))


def _until(date: str) -> float | None:
    try:
        at = parsedate_to_datetime(date)
        # Of the three forms that HTTP has, one names no zone; all are in UTC.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None


def _clamp(seconds: float | None) -> float | None:
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT)


def _chain(error: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links
