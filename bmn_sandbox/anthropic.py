"""Anthropic Messages: streamed and whole answers, the vendor's checks, and a bill in tokens."""

import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import Refusal, bearer, json_object, server_sent
from bmn_sandbox.wizard import Block, Reply, reply

PROVIDER = "anthropic"

_USD_PER_MILLION = {"claude-sonnet-5": (2, 10), "claude-sonnet": (3, 15), "claude-haiku": (1, 5), "claude": (5, 25)}
_THINKING, _PER_PIECE = 0.8, 0.03  # seconds before the first word, and between pieces of a stream
_SAMPLING = ("temperature", "top_p", "top_k")
_STRICT_VERSION = "2026-10-21"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_WORDS = {
    401: "invalid x-api-key",
    402: "Your credit balance is too low to access the Anthropic API.",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    529: "Overloaded",
}


def error_body(status: int, message: str | None = None) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": message or _WORDS.get(status, f"Error {status}")}
    return {"type": "error", "error": error, "request_id": _request_id()}


def routes(sandbox: Sandbox) -> list[Route]:
    desk = Desk(sandbox)
    return [Route("/v1/messages", desk.messages, methods=["POST"], name="messages")]


@dataclass(frozen=True, slots=True)
class _Usage:
    """Tokens. cached: of the system prompt and the tools, where the caller marked them."""

    fresh: int
    written: int
    read: int
    out: int

    def usd(self, model: str) -> float:
        price_in, price_out = next(p for prefix, p in _USD_PER_MILLION.items() if model.startswith(prefix))
        taken = self.fresh + 1.25 * self.written + 0.1 * self.read
        return round((taken * price_in + self.out * price_out) / 1e6, 6)

    def told(self, out: int | None = None) -> dict[str, int]:
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.written,
            "cache_read_input_tokens": self.read,
            "output_tokens": self.out if out is None else out,
        }


class Desk:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._overloaded: set[str] = set()

    async def messages(self, request: Request) -> Response:
        try:
            body = await self._accepted(request)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status, headers={"request-id": refusal.body["request_id"]})
        answer = reply(body)
        if self.sandbox.take(request, "moderate"):
            answer = Reply([], "refusal")
        answer = _shortened(answer, int(body["max_tokens"]))
        usage = _usage(body, answer)
        self.sandbox.ledger.bill(
            PROVIDER,
            str(body["model"]),
            unit="tokens",
            units=usage.fresh + usage.written + usage.read + usage.out,
            usd=usage.usd(str(body["model"])),
            request_body=await request.body(),
            prompt=_last_words(body),
        )
        headers = {"request-id": _request_id(), "anthropic-organization-id": "sandbox"}
        if not body.get("stream"):
            await self.sandbox.work(_THINKING + _PER_PIECE * usage.out / 4)
            return JSONResponse(_message(body, answer.blocks, answer.stop_reason, usage.told()), headers=headers)
        events = self._events(body, answer, usage, breaks=self._breaks(body))
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _accepted(self, request: Request) -> dict[str, Any]:
        """The body, as far as the vendor would take it. Raises Refusal."""
        if not (bearer(request) or request.headers.get("x-api-key")):
            raise Refusal(401, error_body(401, "x-api-key header is required"))
        version = request.headers.get("anthropic-version", "")
        if not version:
            raise _bad("anthropic-version: header is required")
        try:
            body = await json_object(request)
        except ValueError as problem:
            raise _bad(f"The request body is not valid JSON: {problem}") from problem
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise _bad("model: Field required")
        if not model.startswith("claude-") or re.match(r"claude-(?:[0-3]|instant)", model):
            raise Refusal(404, error_body(404, f"model: {model}"))
        if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
            raise _bad("max_tokens: Field required")
        if version >= _STRICT_VERSION and (given := [name for name in _SAMPLING if name in body]):
            raise _bad(f"{given[0]}: Extra inputs are not permitted")
        _check_tools(body)
        _check_messages(body.get("messages"))
        return body

    def _breaks(self, body: dict[str, Any]) -> bool:
        """`[[overload]]` breaks the stream of the conversation's next turn once."""
        talk = json.dumps(body["messages"])
        if "[[overload]]" not in talk or talk in self._overloaded:
            return False
        self._overloaded.add(talk)
        return True

    async def _events(
        self, body: dict[str, Any], answer: Reply, usage: _Usage, *, breaks: bool
    ) -> AsyncIterator[bytes]:
        def event(name: str, **fields: Any) -> bytes:
            return server_sent(name, {"type": name, **fields})

        start = _message(body, [], None, usage.told(1))
        yield event("message_start", message=start)
        yield event("ping")
        await self.sandbox.work(_THINKING)
        for index, block in enumerate(answer.blocks):
            yield event("content_block_start", index=index, content_block=_empty(block))
            for delta in _deltas(block):
                await self.sandbox.work(_PER_PIECE)
                yield event("content_block_delta", index=index, delta=delta)
                if breaks:
                    yield server_sent("error", error_body(529))
                    return
            yield event("content_block_stop", index=index)
        ended = {"stop_reason": answer.stop_reason, "stop_sequence": None}
        yield event("message_delta", delta=ended, usage={"output_tokens": usage.out})
        yield event("message_stop")


def _bad(message: str) -> Refusal:
    return Refusal(400, error_body(400, message))


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    for place, tool in enumerate(tools):
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(tool.get("name", ""))):
            raise _bad(f"tools.{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if (tool.get("input_schema") or {}).get("type") != "object":
            raise _bad(f"tools.{place}.input_schema.type: Input should be 'object'")
    choice = body.get("tool_choice")
    if choice and not tools and choice.get("type") != "none":
        raise _bad("tool_choice: may only be specified while providing tools")
    if choice and choice.get("type") == "tool" and choice.get("name") not in [tool["name"] for tool in tools]:
        raise _bad(f"tool_choice: tool '{choice.get('name')}' not found in provided tools")


def _check_messages(messages: Any) -> None:
    """Roles, and that every tool_use is answered in the next message, and nothing else is."""
    if not isinstance(messages, list) or not messages:
        raise _bad("messages: at least one message is required")
    if messages[0].get("role") != "user":
        raise _bad('messages: first message must use the "user" role')
    asked: list[str] = []
    for place, message in enumerate(messages):
        role, blocks = message.get("role"), _content(message, place)
        if role not in ("user", "assistant"):
            raise _bad(f"messages.{place}.role: Input should be 'user' or 'assistant'")
        results = [str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"]
        if missing := [one for one in asked if one not in results]:
            text = "`tool_use` ids were found without `tool_result` blocks immediately after"
            raise _bad(f"messages.{place}: {text}: {', '.join(missing)}.")
        if strange := [one for one in results if one not in asked]:
            text = "unexpected `tool_use_id` found in `tool_result` blocks"
            raise _bad(f"messages.{place}: {text}: {', '.join(strange)}.")
        kinds = [block.get("type") for block in blocks]
        if results and any(kind != "tool_result" for kind in kinds[: len(results)]):
            raise _bad(f"messages.{place}: `tool_result` blocks must come first in the content.")
        if role == "assistant" and "document" in kinds:
            raise _bad(f"messages.{place}: document blocks are not permitted in assistant turns")
        asked = [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"]
        if asked and role == "user":
            raise _bad(f"messages.{place}: `tool_use` blocks can only be in `assistant` messages")
    if asked:
        raise _bad("messages: `tool_use` ids were found without `tool_result` blocks immediately after.")


def _content(message: dict[str, Any], place: int) -> list[Block]:
    content = message.get("content")
    if isinstance(content, str) and content.strip():
        return [{"type": "text", "text": content}]
    if not isinstance(content, list) or not content or not all(isinstance(block, dict) for block in content):
        raise _bad(f"messages.{place}: all messages must have non-empty content")
    if any(block.get("type") == "text" and not str(block.get("text", "")).strip() for block in content):
        raise _bad(f"messages.{place}: text content blocks must contain non-whitespace text")
    return content


def _shortened(answer: Reply, max_tokens: int) -> Reply:
    """The answer cut where the tokens end; a cut tool call is not sent."""
    left, kept = max_tokens, []
    for block in answer.blocks:
        size = _tokens(block)
        if size > left:
            if block["type"] == "text" and left > 0:
                kept.append({**block, "text": block["text"][: left * 4]})
            return Reply(kept, "max_tokens")
        left -= size
        kept.append(block)
    return answer


def _usage(body: dict[str, Any], answer: Reply) -> _Usage:
    prefix = _tokens([body.get("system"), body.get("tools")])
    talk = _tokens(body["messages"])
    out = max(1, sum(_tokens(block) for block in answer.blocks))
    if '"cache_control"' not in json.dumps(body):
        return _Usage(prefix + talk, 0, 0, out)
    first = len(body["messages"]) == 1
    return _Usage(talk, prefix if first else 0, 0 if first else prefix, out)


def _tokens(value: Any) -> int:
    if isinstance(value, dict) and value.get("type") == "text":
        return max(1, len(value["text"]) // 4)
    return max(1, len(json.dumps(value)) // 4)


def _message(body: dict[str, Any], blocks: list[Block], stop: str | None, usage: dict[str, int]) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _empty(block: Block) -> Block:
    return {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}


def _deltas(block: Block) -> list[dict[str, str]]:
    """A text word by word, an input in pieces of JSON after an empty one."""
    if block["type"] == "text":
        words = re.findall(r"\S+\s*", block["text"])
        return [{"type": "text_delta", "text": "".join(words[start : start + 3])} for start in range(0, len(words), 3)]
    text = json.dumps(block["input"])
    pieces = ["", *(text[start : start + 24] for start in range(0, len(text), 24))]
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def _last_words(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else json.dumps(content)


def _request_id() -> str:
    return f"req_{uuid.uuid4().hex[:24]}"
