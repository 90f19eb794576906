"""Video from a picture. Google serves it through its interactions API; who holds a task's id never pays twice."""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

# The SDK has no public module for these yet.
from google.genai._interactions import APIConnectionError, APIError, APIStatusError

from bmn.cleaning import identifier, sentence
from bmn.errors import Cause, JobFailure, Moderated
from bmn.logs import get_logger
from bmn.mime import mime_of
from bmn.providers.base import OnCall, Provider
from bmn.providers.failures import UnreadableAnswer, garbage
from bmn.providers.google import LABEL, failure_of_answer, google_failure, open_sdk
from bmn.providers.polling import PollSchedule
from bmn.providers.vendor_http import MEGABYTE, open_client
from bmn.redaction import redact
from bmn.settings import ProviderAccess, Settings

log = get_logger(__name__)

OnProgress = Callable[[float], Awaitable[None]]

SHORTEST, LONGEST = 3, 10  # seconds of film that the model makes
_SUBMIT_SECONDS = 60.0
_POLL_SECONDS = 15.0
_FETCH_SECONDS = 120.0
_MAX_BYTES = 100 * MEGABYTE
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0  # seconds between two polls of a task
_ENDED = (
    "completed",
    "failed",
    "cancelled",
    "incomplete",
    "budget_exceeded",
    "requires_action",
    "requires_continuation",
)
_TYPICAL_SECONDS = 30.0  # how long a film usually takes


@dataclass(frozen=True, slots=True)
class VideoTask:
    """A film that was ordered, and paid for. ordered: by the monotonic clock; None where an earlier attempt did it."""

    id: str
    cost_usd: float
    ordered: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class VideoResult:
    """A finished film: the vendor's file, or its bytes where the answer held them."""

    file: str | None
    data: bytes | None


class Video(Provider):
    """The interactions API."""

    provider: ClassVar[str] = "google"
    label: ClassVar[str] = LABEL

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        super().__init__(access, settings, on_call)
        self.model = settings.video_model
        self._http = open_client(idle=_SUBMIT_SECONDS, max_bytes=_MAX_BYTES)
        self._sdk = open_sdk(access, self._http, _SUBMIT_SECONDS)
        self._schedule = PollSchedule(_SHORTEST_PAUSE, _LONGEST_PAUSE)

    async def close(self) -> None:
        """Closes the SDK and its connections."""
        await self._http.aclose()

    def estimate(self, seconds: int) -> float:
        """US dollars for a film, by the price table."""
        return self.price(self.model).second * seconds

    async def submit(self, prompt: str, image: bytes, seconds: int, *, aspect_ratio: str = "16:9") -> VideoTask:
        """Orders a film that begins with the picture. seconds: 3 to 10.

        Raises Moderated, or JobFailure; an ambiguous one when the order may have been taken.
        """
        if not SHORTEST <= seconds <= LONGEST:
            raise JobFailure(Cause.BAD_INPUT, f"A video may take {SHORTEST} to {LONGEST} seconds, not {seconds}.")
        async with self.call("submit", model=self.model, deadline=_SUBMIT_SECONDS, paid=True) as measured:
            measured.units, measured.usd = seconds, self.estimate(seconds)
            answer = await self._sdk.aio.interactions.create(
                model=self.model,
                input=[
                    {"type": "image", "data": base64.b64encode(image).decode(), "mime_type": mime_of(image)},
                    {"type": "text", "text": prompt},
                ],
                response_format={
                    "type": "video",
                    "aspect_ratio": aspect_ratio,
                    "resolution": "720p",
                    "duration": f"{seconds}s",
                    "delivery": "uri",
                },
                generation_config={"video_config": {"task": "image_to_video"}},
                background=True,
                store=True,
                timeout=_SUBMIT_SECONDS,
            )
            task_id = identifier(given := getattr(answer, "id", None))
            if task_id is None or task_id != given:
                raise UnreadableAnswer("no id")
            measured.status, measured.request_id = 200, task_id
        return VideoTask(task_id, measured.usd, ordered=time.monotonic())

    async def poll(
        self, task: VideoTask, on_progress: OnProgress | None = None, *, deadline: float = 240.0
    ) -> VideoResult:
        """Waits until the film is there. on_progress gets a guess, 0.0 to 1.0: the vendor does not say how far it is.

        Raises Moderated, or JobFailure: PROVIDER_TIMEOUT leaves the task as it is, so that a later attempt goes on
        waiting; one with `task_gone` in its `extra` says that this task will never deliver.
        """
        async with self.call("poll", model=self.model, deadline=deadline) as measured:
            measured.request_id = task.id
            started = task.ordered if task.ordered is not None else time.monotonic()
            pause = self._schedule.first_pause() if task.ordered is not None else 0.0
            odd = set[str]()
            while True:
                await asyncio.sleep(pause)
                answer = await self._look(task)
                pause = self._schedule.pause(time.monotonic() - started)
                status = str(getattr(answer, "status", None))
                if status in _ENDED:
                    if status == "completed" and task.ordered is not None:
                        self._schedule.record(time.monotonic() - started)
                    return self._ended(answer, status)
                if answer is not None and status not in ("queued", "in_progress") and status not in odd:
                    odd.add(status)
                    log.warning("a task has a status that we do not know", task=task.id, status=status[:50])
                if on_progress is not None:
                    seconds = time.monotonic() - started
                    await on_progress(seconds / (seconds + _TYPICAL_SECONDS / 2))

    async def fetch(self, result: VideoResult) -> bytes:
        """The film as MP4. Raises DOWNLOAD_FAILED, or PROVIDER_GARBAGE for what is no MP4."""
        data = result.data
        if data is None:
            async with self.call("download", model=self.model, deadline=_FETCH_SECONDS):
                data = await self._download(result.file or "")
        if mime_of(data) != "video/mp4":
            raise garbage(self.label)
        return data

    def failure(self, error: Exception, *, paid: bool) -> JobFailure | None:
        """What an error of the SDK means, as one of our causes."""
        return _failure(error, paid=paid)

    async def _look(self, task: VideoTask) -> Any:
        """One look at the task; None where it was lost, for looking again costs nothing."""
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                return await self._sdk.aio.interactions.get(task.id, timeout=_POLL_SECONDS)
        except Exception as error:
            failure = _failure(error, paid=False)
            if failure is None:
                raise
            if failure.status == 404:
                raise _gone("no longer knows a film that was ordered") from None
            if failure.cause in (Cause.PROVIDER_AUTH, Cause.PROVIDER_CREDIT, Cause.BAD_INPUT):
                raise failure from None
            await asyncio.sleep(min(failure.retry_after or 0.0, 10.0))
            return None

    def _ended(self, answer: Any, status: str) -> VideoResult:
        if status == "completed":
            return _result(answer)
        if status == "budget_exceeded":
            raise JobFailure(Cause.PROVIDER_CREDIT, f"{LABEL} says that our budget is spent.", task_gone=True)
        said = sentence(_said(answer))
        if said and re.search(r"(?i)safety|prohibited|policy|blocked", said):
            raise Moderated("The video service declined this content.", said=redact(said))
        raise _gone(f"could not finish a film ({status})", said=redact(said or "") or None)

    async def _download(self, name: str) -> bytes:
        try:
            while (state := await self._state(name)) != "ACTIVE":
                if state == "FAILED":
                    raise _gone("could not store a film")
                await asyncio.sleep(1.0)
            data = await self._sdk.aio.files.download(file=name)
        except JobFailure:
            raise
        except Exception as error:
            failure = _failure(error, paid=False)
            if failure is None:
                raise
            raise JobFailure(
                Cause.DOWNLOAD_FAILED,
                "The film could not be fetched.",
                expired=failure.status in (403, 404, 410),
            ) from None
        return data or b""

    async def _state(self, name: str) -> str:
        state = (await self._sdk.aio.files.get(name=name)).state
        return str(getattr(state, "value", state))


def _failure(error: Exception, *, paid: bool) -> JobFailure | None:
    """As `google_failure`; the interactions API has an error tree of its own."""
    if isinstance(error, APIStatusError):
        return failure_of_answer(error.status_code or 500, error.body, error.response, paid=paid)
    if failure := google_failure(error, paid=paid):
        return failure
    if isinstance(error, APIConnectionError):
        return JobFailure(Cause.PROVIDER_TIMEOUT, f"The connection to {LABEL} broke.", ambiguous=paid)
    return garbage(LABEL, paid=paid) if isinstance(error, APIError) else None


def _result(answer: Any) -> VideoResult:
    film = getattr(answer, "output_video", None)
    uri, encoded = getattr(film, "uri", None), getattr(film, "data", None)
    if encoded:
        try:
            return VideoResult(None, base64.b64decode(encoded, validate=True))
        except (TypeError, ValueError, binascii.Error) as problem:
            raise UnreadableAnswer("not base64") from problem
    # The id alone, so that our key goes nowhere but to the configured address.
    if found := re.search(r"files/([A-Za-z0-9_-]{1,100})", str(uri or "")):
        return VideoResult(f"files/{found[1]}", None)
    raise _gone("finished without a film")


def _said(answer: Any) -> str:
    """The vendor's words about a failure."""
    steps = getattr(answer, "steps", None) or []
    return str(getattr(answer, "errors", "")) + "".join(str(getattr(step, "error", "")) for step in steps)


def _gone(what: str, *, said: str | None = None) -> JobFailure:
    """The task will never deliver, and may have been billed: order again, once."""
    return JobFailure(Cause.PROVIDER_OVERLOADED, f"{LABEL} {what}.", ambiguous=True, said=said, task_gone=True)
