"""Anthropic: one streamed turn of an agent, through the official SDK with its retries off. The loop is the caller's."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import anthropic
import httpx2
from anthropic import AsyncAnthropic
from anthropic.lib.streaming import AsyncMessageStream
from anthropic.types import Message, Usage

from bmn.cleaning import cleaned, cleaned_text
from bmn.errors import Cause, JobFailure, Moderated
from bmn.providers.base import OnCall, Provider
from bmn.providers.documented import documented
from bmn.providers.failures import (
    UnreadableAnswer,
    failure_of_status,
    failure_of_transport,
    garbage,
    retry_after,
)
from bmn.providers.prices import MOST_TOKENS
from bmn.providers.vendor_http import CONNECT_SECONDS, MEGABYTE, open_client
from bmn.settings import ProviderAccess, Settings

OnText = Callable[[str], Awaitable[None]]

MAX_TOKENS = 4096  # of one answer: what a turn can cost at most
_SECONDS = 150.0
_IDLE_SECONDS = 60.0  # pings come in between
_MAX_BYTES = 4 * MEGABYTE  # an answer of MAX_TOKENS, event by event, has less than one
# An error inside a stream comes after the status 200; its type says which status it would have had.
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to use. input: as the model wrote it, unchecked."""

    id: str
    name: str
    input: Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer. message: as the next request repeats it. tokens: read and written, all kinds together."""

    message: dict[str, Any]
    text: str
    tool_calls: tuple[ToolCall, ...]
    stop_reason: str
    tokens: int
    cost_usd: float


class Agent(Provider):
    provider: ClassVar[str] = "anthropic"
    label: ClassVar[str] = "Anthropic"

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        super().__init__(access, settings, on_call)
        self.model = settings.anthropic_model
        self._http = open_client(idle=_IDLE_SECONDS, max_bytes=_MAX_BYTES)
        self._sdk = AsyncAnthropic(
            api_key=access.api_key,
            base_url=access.base_url,
            max_retries=0,
            timeout=httpx2.Timeout(_IDLE_SECONDS, connect=CONNECT_SECONDS),
            http_client=self._http,
        )

    async def close(self) -> None:
        """Closes the SDK and its connections."""
        await self._http.aclose()

    def estimate(self, characters: int) -> float:
        """The most that a turn costs, in US dollars, with this much to read."""
        return self.price(self.model).tokens(text_in=characters / 3, text_out=MAX_TOKENS)

    async def turn(
        self,
        system: str,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        on_text: OnText | None = None,
    ) -> Turn:
        """One answer of the model. on_text gets its words as they come.

        Raises Moderated when it declines, or JobFailure; an ambiguous one when tokens may have been billed for nothing.
        """
        order: dict[str, Any] = {
            "model": self.model,
            "max_tokens": MAX_TOKENS,
            "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
            "messages": list(messages),
        }
        if tools:
            order["tools"] = list(tools)
        async with self.call("turn", model=self.model, deadline=_SECONDS, paid=True) as measured:
            measured.usd = self.estimate(len(str(order)))
            async with self._sdk.messages.stream(**order) as stream:
                measured.status, measured.request_id = 200, stream.request_id
                async for event in stream:
                    if event.type == "text" and on_text is not None:
                        await on_text(cleaned_text(event.text))
                message = await _final(stream)
            if message.stop_reason is None:
                raise self._cut()
            turn = self._turn(message)
            measured.units, measured.usd = turn.tokens, turn.cost_usd
        if turn.stop_reason == "refusal":
            raise Moderated("The assistant declined to work on this.")
        return turn

    def failure(self, error: Exception, *, paid: bool) -> JobFailure | None:
        """What an error of the SDK means, as one of our causes."""
        if isinstance(error, anthropic.APIStatusError):
            return self._of_status(error, paid=paid)
        if isinstance(error, anthropic.APIResponseValidationError):
            return garbage(self.label, paid=paid)
        return failure_of_transport(self.label, error, paid=paid)

    def _of_status(self, error: anthropic.APIStatusError, *, paid: bool) -> JobFailure:
        in_stream = error.status_code == 200
        status = _STATUS_OF_TYPE.get(str(error.type), 500) if in_stream else error.status_code
        said = _message(error.body)
        codes = [getattr(error, "error_code", None), error.type]
        failure = failure_of_status(
            self.label,
            status,
            meaning=documented(self.provider, status, codes, text=said),
            said=said,
            paid=paid,
            retry_after=retry_after(error.response.headers),
            request_id=error.request_id,
        )
        failure.ambiguous = failure.ambiguous or (paid and in_stream)
        return failure

    def _cut(self) -> JobFailure:
        return JobFailure(
            Cause.PROVIDER_OVERLOADED, f"{self.label} broke off in the middle of an answer.", ambiguous=True
        )

    def _turn(self, message: Message) -> Turn:
        stop_reason = str(message.stop_reason)
        whole = stop_reason not in ("max_tokens", "model_context_window_exceeded")
        # The last tool call of an answer that was cut may be half of one, and the next request would have to answer it.
        calls = [ToolCall(b.id, b.name, b.input) for b in message.content if b.type == "tool_use"] if whole else []
        content: list[dict[str, Any]] = [
            {"type": "text", "text": block.text} for block in message.content if block.type == "text" and block.text
        ]
        content += [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input} for call in calls]
        param = {"role": "assistant", "content": content or [{"type": "text", "text": "(No words.)"}]}
        text = "".join(block.text for block in message.content if block.type == "text")
        tokens, usd = self._cost(message.usage)
        return cleaned(Turn(param, text.strip(), tuple(calls), stop_reason, tokens, usd))

    def _cost(self, usage: Usage) -> tuple[int, float]:
        """Tokens and US dollars. What is put into the vendor's cache costs more, what comes out of it a tenth."""
        read = usage.cache_read_input_tokens or 0
        written = usage.cache_creation_input_tokens or 0
        detail = usage.cache_creation
        hour = detail.ephemeral_1h_input_tokens if detail else 0
        taken, given = usage.input_tokens or 0, usage.output_tokens or 0  # gateways in between leave them out
        total = taken + written + read + given
        weighted = taken + 1.25 * (written - hour) + 2 * hour + 0.1 * read
        usd = self.price(self.model).tokens(text_in=weighted, text_out=given)
        return min(total, MOST_TOKENS), round(usd, 6)


def _message(body: object) -> str | None:
    """The vendor's sentence in an error's body."""
    problem = body.get("error") if isinstance(body, dict) else None
    message = problem.get("message") if isinstance(problem, dict) else None
    return message if isinstance(message, str) else None


async def _final(stream: AsyncMessageStream[None]) -> Message:
    """The whole answer. Raises UnreadableAnswer where no answer ever began."""
    try:
        return await stream.get_final_message()
    except AssertionError as problem:
        raise UnreadableAnswer("the stream held no message") from problem
