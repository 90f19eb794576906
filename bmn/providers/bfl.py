"""Black Forest Labs, FLUX: order a picture, poll its task, fetch it within ten minutes.

The vendor has no idempotency key and no list of tasks, so a caller keeps the Task before it waits: who holds one never
pays twice. A failure whose `extra` has `task_gone` says that this task will never deliver.
"""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx2

from bmn.cleaning import identifier
from bmn.errors import Cause, JobFailure, Moderated
from bmn.logs import get_logger
from bmn.providers.base import Measured, OnCall, Provider
from bmn.providers.documented import documented
from bmn.providers.failures import (
    UnreadableAnswer,
    failure_of_status,
    failure_of_transport,
    garbage,
    retry_after,
)
from bmn.providers.polling import PollSchedule
from bmn.providers.vendor_http import error_body, json_body
from bmn.settings import ProviderAccess, Settings

log = get_logger(__name__)

OnProgress = Callable[[float], Awaitable[None]]

_SUBMIT_SECONDS = 30.0
_POLL_SECONDS = 15.0
_DOWNLOAD_SECONDS = 60.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5  # seconds between two polls of a task
_UNKNOWN_SECONDS = 3.0  # a new task may be unknown to the region that answers first
_VENDOR_HOST = "bfl.ai"


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One picture. width, height: pixels, multiples of 16. input_image: the picture to change."""

    prompt: str
    seed: int
    width: int = 1024
    height: int = 1024
    input_image: bytes | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A picture that was ordered, and paid for. ordered: by the monotonic clock; None where an earlier attempt did it."""

    id: str
    polling_url: str
    cost_usd: float
    ordered: float | None = field(default=None, compare=False)


class Bfl(Provider):
    provider: ClassVar[str] = "bfl"
    label: ClassVar[str] = "Black Forest Labs"

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        from bmn.providers.direct import DirectClient  # noqa: PLC0415 - 7 MB that no process at rest needs

        super().__init__(access, settings, on_call)
        self.model = settings.bfl_model
        self._base = httpx2.URL(access.base_url)
        self._http = DirectClient(idle=_POLL_SECONDS)
        self._schedule = PollSchedule(_SHORTEST_PAUSE, _LONGEST_PAUSE)

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    def estimate(self, request: ImageRequest) -> float:
        """US dollars for one picture, by the price table."""
        return self.price(self.model).pixels(request.width, request.height, int(request.input_image is not None))

    async def submit(self, request: ImageRequest) -> Task:
        """Orders a picture. Raises JobFailure; an ambiguous one when the order may have been taken."""
        async with self.call("submit", model=self.model, deadline=_SUBMIT_SECONDS, paid=True) as measured:
            measured.units, measured.usd = 1, self.estimate(request)
            response = await self._http.post(
                f"{self.access.base_url}/v1/{self.model}", json=_body(request), headers=self._key
            )
            self._check(response, measured, paid=True)
            task = self._task(json_body(response), measured.usd)
            measured.usd, measured.request_id = task.cost_usd, task.id
        return task

    async def wait(self, task: Task, on_progress: OnProgress | None = None, *, deadline: float = 100.0) -> str:
        """Polls until the picture is there; returns its address, which opens for ten minutes.

        deadline: seconds. on_progress gets 0.0 to 1.0. Raises Moderated, or JobFailure: PROVIDER_TIMEOUT leaves the task
        as it is, so that a later attempt goes on waiting for it.
        """
        if not self._is_theirs(task.polling_url):
            raise garbage(self.label)
        async with self.call("wait", model=self.model, deadline=deadline) as measured:
            measured.request_id = task.id
            return await self._poll_until_ready(task, measured, on_progress)

    async def download(self, url: str) -> bytes:
        """The picture's bytes, unverified. No key is sent. Raises DOWNLOAD_FAILED, with `expired` where it is too late."""
        if not self._is_theirs(url):
            raise JobFailure(Cause.DOWNLOAD_FAILED, f"{self.label} named a result on a host that is not theirs.")
        async with self.call("download", model=self.model, deadline=_DOWNLOAD_SECONDS) as measured:
            try:
                response = await self._http.get(url)
            except (httpx2.HTTPError, UnreadableAnswer) as problem:
                raise JobFailure(
                    Cause.DOWNLOAD_FAILED, f"The picture could not be fetched ({type(problem).__name__})."
                ) from None
            measured.status = response.status_code
            if response.status_code != 200:
                raise JobFailure(
                    Cause.DOWNLOAD_FAILED,
                    f"The picture could not be fetched (HTTP {response.status_code}).",
                    expired=response.status_code in (401, 403, 404, 410),
                )
            return response.content

    async def collect(self, task: Task, on_progress: OnProgress | None = None, *, deadline: float = 100.0) -> bytes:
        """`wait` and `download`; an address that has expired is asked for again, once."""
        for last in (False, True):
            url = await self.wait(task, on_progress, deadline=deadline)
            try:
                return await self.download(url)
            except JobFailure as failure:
                if not failure.expired:
                    raise
                if last:
                    raise self._gone("has deleted a finished picture before it could be fetched") from None
        raise AssertionError("unreachable")

    @property
    def _key(self) -> dict[str, str]:
        return {"x-key": self.access.api_key}

    def _is_theirs(self, url: str) -> bool:
        """Whether an address in an answer is the vendor's own: https on bfl.ai, or where our setting points."""
        try:
            parsed = httpx2.URL(url)
        except (httpx2.InvalidURL, TypeError):
            return False
        if parsed.userinfo:
            return False
        if (parsed.scheme, parsed.host, parsed.port) == (self._base.scheme, self._base.host, self._base.port):
            return True
        official = parsed.host == _VENDOR_HOST or parsed.host.endswith("." + _VENDOR_HOST)
        return parsed.scheme == "https" and official and parsed.port is None

    def _task(self, body: dict[str, Any], estimate: float) -> Task:
        task_id, cost = identifier(body.get("id")), body.get("cost")
        if task_id is None or task_id != body.get("id"):
            raise UnreadableAnswer("no task id")
        url = body.get("polling_url") or f"{self.access.base_url}/v1/get_result"
        if not self._is_theirs(url):
            raise UnreadableAnswer("a polling address on a strange host")
        parsed = httpx2.URL(url)
        if "id" not in parsed.params:
            parsed = parsed.copy_set_param("id", task_id)
        known = isinstance(cost, int | float) and 0 <= cost < 10_000
        usd = cost / 100 if known and cost is not None else estimate
        return Task(task_id, str(parsed), usd, ordered=time.monotonic())

    def _check(self, response: httpx2.Response, measured: Measured, *, paid: bool) -> None:
        """Raises the failure that an error answer means."""
        measured.status = response.status_code
        if response.status_code == 200:
            return
        raise self._refusal(response, paid=paid)

    def _refusal(self, response: httpx2.Response, *, paid: bool) -> JobFailure:
        body = error_body(response)
        said = _words(body)
        return failure_of_status(
            self.label,
            response.status_code,
            meaning=documented(self.provider, response.status_code, [_code(body)], text=said),
            said=said,
            paid=paid,
            retry_after=retry_after(response.headers, body),
            field=_field(body),
        )

    async def _poll_until_ready(self, task: Task, measured: Measured, on_progress: OnProgress | None) -> str:
        started = task.ordered if task.ordered is not None else time.monotonic()
        pause = self._schedule.first_pause() if task.ordered is not None else 0.0
        unknown_since: float | None = None
        odd = set[str]()
        while True:
            await asyncio.sleep(pause)
            body, asked = await self._poll(task, measured)
            pause = max(asked, self._schedule.pause(time.monotonic() - started))
            match body.get("status"):
                case "Ready":
                    if task.ordered is not None:
                        self._schedule.record(time.monotonic() - started)
                    return _sample(body)
                case "Request Moderated" | "Content Moderated":
                    raise Moderated("The image service declined this content.")
                case "Error" | "Failed":
                    raise self._gone("could not finish a picture")
                case "Task not found":
                    unknown_since = unknown_since or time.monotonic()
                    if time.monotonic() - unknown_since >= _UNKNOWN_SECONDS:
                        raise self._gone("no longer knows a picture that was ordered")
                case "Pending" | None:
                    unknown_since = None
                    if on_progress is not None and body:
                        await on_progress(_share(body, time.monotonic() - started))
                case other if str(other) not in odd:
                    odd.add(str(other))
                    log.warning("a task has a status that we do not know", task=task.id, status=str(other)[:50])

    async def _poll(self, task: Task, measured: Measured) -> tuple[dict[str, Any], float]:
        """One answer, and how long to wait. Empty where it was lost: asking again costs nothing."""
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                response = await self._http.get(task.polling_url, headers=self._key)
            measured.status = response.status_code
            if response.status_code == 404:
                return {"status": "Task not found"}, 0.0
            if response.status_code == 200:
                return json_body(response), 0.0
        except (httpx2.HTTPError, UnreadableAnswer, TimeoutError) as problem:
            if failure_of_transport(self.label, problem, paid=False) is None:
                raise
            return {}, 0.0
        refusal = self._refusal(response, paid=False)
        if refusal.cause in (Cause.PROVIDER_AUTH, Cause.PROVIDER_CREDIT, Cause.BAD_INPUT):
            raise refusal
        return {}, min(refusal.retry_after or 0.0, 10.0)

    def _gone(self, what: str) -> JobFailure:
        """The task will never deliver, and may have been billed: order again, once."""
        return JobFailure(Cause.PROVIDER_OVERLOADED, f"{self.label} {what}.", ambiguous=True, task_gone=True)


def _body(request: ImageRequest) -> Mapping[str, object]:
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "seed": request.seed,
        "output_format": "png",
        "safety_tolerance": 2,
    }
    if request.input_image is not None:
        body["input_image"] = base64.b64encode(request.input_image).decode()
    return body


def _field(body: dict[str, Any]) -> str | None:
    """The field that a 422 complains about."""
    detail = body.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        where = detail[0].get("loc")
        if isinstance(where, list):
            return ".".join(str(part) for part in where)
    return None


def _code(body: dict[str, Any]) -> str | None:
    code = body.get("error")
    return code if isinstance(code, str) else None


def _words(body: dict[str, Any]) -> str | None:
    """The vendor's sentence: `detail` as a text or as a list of faults, else `message`."""
    detail = body.get("detail")
    faults = [str(one.get("msg", "")) for one in detail if isinstance(one, dict)] if isinstance(detail, list) else []
    found = [detail, "; ".join(faults), body.get("message")]
    return next((text for text in found if isinstance(text, str) and text), None)


def _sample(body: dict[str, Any]) -> str:
    result = body.get("result")
    url = result.get("sample") if isinstance(result, dict) else None
    if not isinstance(url, str):
        raise UnreadableAnswer("ready, but without a picture")
    return url


def _share(body: dict[str, Any], seconds: float) -> float:
    """How far the vendor is: what it says, else a guess that slows down towards the end."""
    told = body.get("progress")
    return min(max(float(told), 0.0), 1.0) if isinstance(told, int | float) else seconds / (seconds + 4.0)
