"""Answers that gateways and newer releases of the vendors send: what was paid for is kept, nothing becomes a defect."""

import base64
import json
from typing import Any

import pytest

from bmn.errors import Cause
from bmn.providers.base import OnCall
from bmn.settings import ProviderAccess, Settings
from tests.kit.pictures import png
from tests.kit.vendors import VENDORS
from tests.kit.wire import Wire, answer, failing

ENCODED = base64.b64encode(png()).decode()
START = {
    "type": "message_start",
    "message": {
        **{"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []},
        **{"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 1}},
    },
}
WORDS = [
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
    {"type": "content_block_stop", "index": 0},
]
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}


async def _asked(name: str, wire: Wire, settings: Settings, on_call: OnCall) -> Any:
    vendor = VENDORS[name]
    client = vendor.open(ProviderAccess(wire.url, "key", sandboxed=False), settings, on_call)
    try:
        return await vendor.ask(client)
    finally:
        await client.close()


def _stream(*events: dict[str, Any]) -> bytes:
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return answer(text.encode(), content_type="text/event-stream")


@pytest.mark.parametrize(
    "encoded",
    [f"data:image/png;base64,{ENCODED}", "\r\n".join(ENCODED[at : at + 76] for at in range(0, len(ENCODED), 76))],
    ids=["data address", "lines"],
)
async def test_a_picture_is_read_as_gateways_write_it(
    wire: Wire, settings: Settings, on_call: OnCall, encoded: str
) -> None:
    wire.answers = [answer(json.dumps({"created": 1, "data": [{"b64_json": encoded}], "usage": None}).encode())]
    picture = await _asked("openai", wire, settings, on_call)
    assert picture.data == png()
    assert picture.cost_usd > 0


async def test_tokens_that_are_not_told_end_no_turn(wire: Wire, settings: Settings, on_call: OnCall) -> None:
    wire.answers = [_stream(START, *WORDS, {**END, "usage": {"output_tokens": None}}, {"type": "message_stop"})]
    assert (await _asked("anthropic", wire, settings, on_call)).text == "hello"


async def test_what_the_library_stumbles_over_is_garbage_and_no_defect(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    bare = {name: value for name, value in START["message"].items() if name != "usage"}  # type: ignore[attr-defined]
    wire.answers = [_stream({**START, "message": bare}, *WORDS, END, {"type": "message_stop"})]
    failure = await failing(_asked("anthropic", wire, settings, on_call))
    assert (failure.cause, failure.ambiguous) == (Cause.PROVIDER_GARBAGE, True)


@pytest.mark.parametrize(
    ("body", "cause", "said"),
    [
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, Cause.MODERATED, "PROHIBITED_CONTENT"),
        ({"candidates": [{"finishReason": "IMAGE_SAFETY", "index": 0}]}, Cause.MODERATED, "IMAGE_SAFETY"),
        (
            {"candidates": [{"content": {"parts": [{"text": "I cannot draw that."}]}, "finishReason": "STOP"}]},
            Cause.PROVIDER_GARBAGE,
            "STOP: I cannot draw that.",
        ),
    ],
)
async def test_operators_read_why_there_is_no_picture(
    wire: Wire, settings: Settings, on_call: OnCall, body: Any, cause: Cause, said: str
) -> None:
    wire.answers = [answer(json.dumps(body).encode())]
    failure = await failing(_asked("gemini", wire, settings, on_call))
    assert (failure.cause, failure.said) == (cause, said)
    assert said not in failure.message


async def test_a_picture_counts_whichever_candidate_has_it(wire: Wire, settings: Settings, on_call: OnCall) -> None:
    picture = {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ENCODED}}]}}
    body = {"candidates": [{"content": {"parts": [{"text": "Here."}]}, "finishReason": "STOP"}, picture]}
    wire.answers = [answer(json.dumps(body).encode())]
    assert (await _asked("gemini", wire, settings, on_call)).data == png()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ({"message": "The server is overloaded.", "type": "server_error", "code": 503}, Cause.PROVIDER_OVERLOADED),
        ({"message": "Slow down.", "code": 429}, Cause.PROVIDER_RATE_LIMITED),
        ({"message": "Something went wrong.", "type": "unknown"}, Cause.PROVIDER_OVERLOADED),
    ],
)
@pytest.mark.parametrize("name", [name for name, vendor in VENDORS.items() if name != "anthropic"])
async def test_an_error_that_is_sent_as_a_success_is_an_error(
    wire: Wire, settings: Settings, on_call: OnCall, name: str, error: Any, cause: Cause
) -> None:
    wire.answers = [answer(json.dumps({"error": error}).encode())]
    failure = await failing(_asked(name, wire, settings, on_call))
    assert (failure.cause, failure.ambiguous) == (cause, False)
