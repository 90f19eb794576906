"""Requests to the API: who we are, retries that cannot do a thing twice, errors as our own tree."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar

import httpx
from pydantic import ValidationError

from bmn import __version__
from bmn.client.patience import backoff
from bmn.client.signin import TokenSource, is_local, refused_hint, token_source
from bmn.errors import (
    BmnError,
    BudgetReached,
    Conflict,
    InsufficientCredits,
    NoServer,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PayloadTooLarge,
    RateLimited,
    TryLater,
    UsageProblem,
)
from bmn.numbers import is_whole
from bmn.outgoing import RoutedTransport
from bmn.schemas.documents import Document, Issue, Misfit, Problem
from bmn.schemas.payloads import TERMINAL_STATES, WAITING_STATES, JobState
from bmn.settings import Settings
from bmn.settings.texts import plain
from bmn.settings.types import API_ENDS
from bmn.settings.web import web_address

API = "/api/v1"

Parameter = str | int | float | bool | Sequence[str] | None
T = TypeVar("T", bound=Document)

_TIMEOUT = httpx.Timeout(30, connect=5)
_CHANGES_NOTHING = ("/estimate", "-estimate", "/session")
_RETRIED = frozenset({502, 503, 504})
_ERRORS: dict[int, type[BmnError]] = {
    400: UsageProblem,
    401: NotSignedIn,
    402: BudgetReached,  # a lack of credits has its own figures, see below
    403: NotAllowed,
    404: NotFound,
    405: UsageProblem,
    409: Conflict,
    413: PayloadTooLarge,
    422: UsageProblem,
}
_HINTS = {403: "Ask an admin; on a local server BMN_TOKEN=$(bmn token --admin) is one."}


class HttpClient:
    """Sends requests to one server as one user, and parses answers into documents.

    role: `user` or `admin`, for the tokens we sign ourselves on the local development server.
    on_notice: told in a sentence what the client waits for. on_act: called before what changes something there.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        api_url: str | None = None,
        token: TokenSource | None = None,
        role: str = "user",
        retries: int = 3,
        on_notice: Callable[[str], None] = lambda _text: None,
        on_act: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.api_url = _address(api_url) if api_url else settings.api_address
        self.on_notice = on_notice
        self._on_act = on_act
        self._token_source = token or token_source(settings, self.api_url, role=role)
        self._token: str | None = None
        self._retries = retries
        self._http = httpx.AsyncClient(
            base_url=self.api_url,
            timeout=_TIMEOUT,
            headers={"User-Agent": f"bmn/{__version__}", "Accept": "application/json"},
            transport=RoutedTransport(),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    # --- requests -----------------------------------------------------------------------------------------------------

    async def _get(self, path: str, kind: type[T], /, **params: Parameter) -> T:
        """The answer as a document of this kind. path: below `/api/v1`. Parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._parsed(await self._request("GET", path, params=given), kind)

    async def _post(
        self,
        path: str,
        kind: type[T],
        body: Mapping[str, object] | None = None,
        *,
        idempotency_key: str | None = None,
        safe: bool = False,
    ) -> T:
        """The same for a POST. safe: a repetition does no harm, so it is retried without a key as well."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        again = safe or idempotency_key is not None
        return self._parsed(await self._request("POST", path, body=body, headers=headers, again=again), kind)

    async def _patch(self, path: str, kind: type[T], body: Mapping[str, object]) -> T:
        """Sets the fields that are given; a repetition does no harm."""
        return self._parsed(await self._request("PATCH", path, body=body, again=True), kind)

    async def _delete(self, path: str) -> None:
        """Removes a thing; a repetition does no harm."""
        await self._request("DELETE", path)

    async def is_up(self) -> bool:
        """Whether a server of ours answers at the address, asked once and quickly."""
        try:
            answer = await self._http.get("/health/live", timeout=2)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def download(self, url: str) -> bytes:
        """The bytes of a picture. The token goes along only to our own server. Raises BmnError."""
        own = url.startswith(("/", self.api_url + "/"))
        answer = await self._send("GET", url, headers=self._authorization() if own else {}, again=True)
        return answer.content

    @asynccontextmanager
    async def stream(self, path: str, *, headers: dict[str, str], read_timeout: float) -> AsyncIterator[httpx.Response]:
        """An open response of server-sent events. Raises like `get`; a break while reading raises httpx errors."""
        request = self._http.build_request(
            "GET",
            API + path,
            headers={**self._authorization(), "Accept": "text/event-stream", **headers},
            timeout=httpx.Timeout(read_timeout, connect=5),
        )
        answer = await self._http.send(request, stream=True)
        try:
            if answer.is_error:
                await answer.aread()
                if answer.status_code == 401:
                    self._token = None
                raise self._refused(answer)
            yield answer
        finally:
            await answer.aclose()

    # --- the inside ---------------------------------------------------------------------------------------------------

    def _authorization(self) -> dict[str, str]:
        if self._token is None:
            self._token = self._token_source()
        return {"Authorization": f"Bearer {self._token}"}

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Parameter] | None = None,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> httpx.Response:
        if method != "GET" and not path.endswith(_CHANGES_NOTHING):
            self._on_act()
        headers = {**self._authorization(), **(headers or {})}
        return await self._send(method, API + path, params=params, body=body, headers=headers, again=again)

    def _parsed(self, answer: httpx.Response, kind: type[T]) -> T:
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError:
            raise NoServer(
                f"{self.api_url} answers, but not like a bmn server.", hint="Is BMN_API_URL right?"
            ) from None

    async def _send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        again: bool,
        params: Mapping[str, Parameter] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """One request, repeated where that is harmless: lost connections, 502, 503, 504, 429, and once after a 401."""
        renewed = False
        for attempt in range(self._retries + 1):
            last = attempt == self._retries or not again
            try:
                answer = await self._http.request(method, url, params=params or None, json=body, headers=headers)
            except httpx.ConnectError as error:
                if last or (attempt >= 1 and not self.settings.running.api_url):
                    raise self._nobody(error) from error
                await asyncio.sleep(backoff(attempt))
                continue
            except httpx.TransportError as error:
                if last:
                    raise self._nobody(error) from error
                await asyncio.sleep(backoff(attempt))
                continue
            if answer.status_code == 401 and "Authorization" in headers and not renewed:
                self._token, renewed = None, True
                headers = {**headers, **self._authorization()}
                continue
            # A request over the limit was not looked at: to repeat it does nothing twice, whatever it asks for.
            refused = answer.status_code == 429 and attempt < self._retries
            if refused or (answer.status_code in _RETRIED and not last):
                await self._wait_as_told(answer, attempt)
                continue
            if answer.is_error:
                raise self._refused(answer)
            return answer
        raise NotSignedIn("The server refuses our token.", hint=refused_hint(self.settings, self.api_url))

    def _refused(self, answer: httpx.Response) -> BmnError:
        error = error_of(answer)
        if isinstance(error, NotSignedIn):
            error.hint = error.hint or refused_hint(self.settings, self.api_url)
        return error

    async def _wait_as_told(self, answer: httpx.Response, attempt: int) -> None:
        """Waits before a repetition. Raises at once where the server asks for more patience than a person has."""
        told = _retry_after(answer)
        if told > 5:
            raise error_of(answer)
        pause = max(told, backoff(attempt))
        if pause >= 1:
            why = "too many requests for the moment" if answer.status_code == 429 else "the server is busy"
            self.on_notice(f"{why}, trying again in {pause:.0f} s")
        await asyncio.sleep(pause)

    def _nobody(self, error: Exception) -> NoServer:
        what = "took too long to answer" if isinstance(error, httpx.TimeoutException) else "does not answer"
        hint = (
            "Start it in another terminal: bmn serve"
            if is_local(self.settings, self.api_url)
            else "Check the address and the network."
        )
        return NoServer(f"The server at {self.api_url} {what}.", hint=hint)


def _address(text: str) -> str:
    """The server's address out of what a person wrote. Raises UsageProblem."""
    try:
        return web_address(plain(text), drop=API_ENDS, bare=True)
    except ValueError as problem:
        raise UsageProblem(f"The address of the server cannot be used: {problem}.") from None


def _retry_after(answer: httpx.Response) -> float:
    seconds = answer.headers.get("Retry-After", "").strip()
    return min(float(seconds), _LONGEST_WAIT) if is_whole(seconds) else 0.0


_LONGEST_WAIT = 3600.0
_NAMES_A_FIELD = re.compile(r"[\w.]+: ")


def _in_words(detail: Issue | Misfit) -> str:
    """What is wrong with one field, in a line."""
    if isinstance(detail, Misfit):
        return f"{detail.field}: {detail.problem}"
    place = ".".join(str(part) for part in detail.loc if part not in ("body", "query"))
    return f"{place}: {detail.msg}" if place else detail.msg


def _problem(answer: httpx.Response) -> Problem:
    """What a refusal says; something between us and the server may have answered in its place."""
    try:
        return Problem.model_validate_json(answer.content)
    except ValidationError:
        return Problem(error=f"The server answered {answer.status_code}.", code="error")


def _command_for(problem: Problem, path: str) -> str | None:
    """The command that helps where the server, which speaks to users of any front end, names none."""
    if problem.misfits:
        return "Set the fields with `bmn jobs retry JOB --set FIELD=VALUE`, or submit again."
    if problem.replay:
        return f"Look at it with `bmn jobs show {problem.replay}`."
    *_, job_id, action = ["", *path.split("/")]
    if action == "cancel" and problem.state in TERMINAL_STATES:
        return f"Nothing is left to stop; `bmn jobs show {job_id[-36:][:8]}` says what came of it."
    if action == "retry" and problem.state in WAITING_STATES | {JobState.ACTIVE}:
        return f"It is not over: `bmn jobs watch {job_id}` follows it, `bmn jobs cancel {job_id}` stops it."
    return None


def error_of(answer: httpx.Response) -> BmnError:
    """The error that a refused request stands for, with the server's own words."""
    problem = _problem(answer)
    details = "; ".join(map(_in_words, [*(problem.issues or ()), *(problem.misfits or ())]))
    hint = problem.hint or details or _HINTS.get(answer.status_code)
    hint = _command_for(problem, answer.url.path) or hint
    if problem.required is not None and problem.available is not None:
        error: BmnError = InsufficientCredits(problem.required, problem.available)
        error.hint = (
            f"This needs {problem.required}, you have {problem.available}. An admin adds more with `bmn credits grant`."
        )
    elif answer.status_code in (429, 503, 502, 504):
        kind = RateLimited if answer.status_code == 429 else TryLater
        wait = int(_retry_after(answer)) or 5
        error = kind(problem.error, hint=hint or f"Try again in {wait} s.", retry_after=wait)
    elif answer.status_code == 400 and hint is not None and hint == details:
        sentence = details if _NAMES_A_FIELD.match(details) else f"{details[0].upper()}{details[1:]}"
        error = UsageProblem(f"{sentence.rstrip('.')}.")  # what matters, and nothing before it
    else:
        error = _ERRORS.get(answer.status_code, BmnError)(problem.error, hint=hint)
    error.extra["requestId"] = answer.headers.get("X-Request-Id")
    return error
