"""What a vendor says goes through one door: no NUL, half character, escape or endless number comes out of it."""

import json
from typing import Any

import pytest

from bmn.cleaning import LONGEST_SENTENCE, LONGEST_TEXT, cleaned, cleaned_text, identifier, sentence
from bmn.errors import Cause
from bmn.providers.base import OnCall, ProviderCall
from bmn.settings import ProviderAccess, Settings
from tests.kit.vendors import VENDORS, Vendor, every_vendor
from tests.kit.wire import Wire, answer, failing
from tests.providers.samples import ASK, SYSTEM, TOOLS

HOSTILE = "a\0b\ud800c\x1b[31md\x9be\x07\uffff"
ENDLESS = "9" * 5000


def is_clean(text: str) -> bool:
    text.encode()  # half a character cannot be
    return all(char in "\t\n" or char.isprintable() or char == "\ufffd" for char in text)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (HOSTILE, "ab\ufffdc[31mde"),
        ("two\r\nlines\rof three\tcells", "two\nlines\nof three\tcells"),
        ("漢字 👩\u200d💻 café é", "漢字 👩\u200d💻 café é"),
        ({"k\0": [HOSTILE, float("nan"), float("inf"), 10**400, -(2**63) + 1, True, None, 1.5]}, None),
    ],
)
def test_a_value_comes_out_as_a_database_a_document_and_a_terminal_take_it(given: Any, kept: Any) -> None:
    expected = kept or {"k": ["ab\ufffdc[31mde", None, None, None, -(2**63) + 1, True, None, 1.5]}
    assert cleaned(given) == expected
    json.dumps(cleaned(given), allow_nan=False).encode()


def test_lengths_and_depths_have_an_end() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    json.dumps(cleaned(deep))
    assert len(cleaned_text("x" * 10**6)) == LONGEST_TEXT
    assert len(sentence("word " * 10**5) or "") == LONGEST_SENTENCE
    assert (sentence("\0 \n"), sentence(5), identifier("a\0\nb"), identifier("")) == (None, None, "a b", None)


@every_vendor
async def test_what_a_vendor_says_of_an_error_is_clean_wherever_it_goes(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], wire: Wire, vendor: Vendor
) -> None:
    text = f"{HOSTILE} {'long ' * 10_000}"
    words = {"message": text, "code": text, "type": text, "param": text, "status": text, "details": [{"reason": text}]}
    body = json.dumps({**words, "error": words, "name": text, "detail": text, "request_id": text, "retry_after": 1e308})
    wire.answers = [
        answer(body.replace("1e+308", "1e999").encode(), 400, request_id="r\x9b1" * 200, x_request_id="\x9b")
    ]
    client = vendor.open(ProviderAccess(wire.url + vendor.path, "key", sandboxed=False), settings, on_call)
    failure = await failing(vendor.ask(client))
    await client.close()
    assert failure.cause is Cause.BAD_INPUT
    assert is_clean(failure.message) and is_clean(failure.for_operators) and len(failure.for_operators) < 600
    assert is_clean(calls[-1].request_id or "") and len(calls[-1].request_id or "") <= 200


@every_vendor
@pytest.mark.parametrize(
    "body",
    [
        f'{{"id": {ENDLESS}, "cost": {ENDLESS}}}'.encode(),
        b'{"id": "a\\u0000\\ud800b", "cost": NaN, "polling_url": "http://x/\\u0000", "data": [{}], "candidates": [{}]}',
        b'{"id": "\xff\xfe"}',
        b"[" * 100_000,
    ],
    ids=["endless numbers", "controls and NaN", "no text", "no end"],
)
async def test_an_answer_that_cannot_be_kept_is_garbage_and_no_defect(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], wire: Wire, vendor: Vendor, body: bytes
) -> None:
    wire.answers = [answer(body)]
    client = vendor.open(ProviderAccess(wire.url + vendor.path, "key", sandboxed=False), settings, on_call)
    try:
        kept = await vendor.ask(client)
    except Exception as problem:  # noqa: BLE001, a client may bear it or refuse it
        assert getattr(problem, "cause", None) in (Cause.PROVIDER_GARBAGE, Cause.PROVIDER_OVERLOADED), repr(problem)
    else:
        assert is_clean(str(kept))
    await client.close()
    assert calls[-1].outcome != "bug"


def _stream(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


async def test_a_models_words_and_the_input_of_its_tools_are_clean(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], wire: Wire
) -> None:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [], "stop_reason": None}
    usage = {"input_tokens": 10**30, "output_tokens": 1}
    tool_input = json.dumps({"name": "a\0b\x1b[31mc", "huge": 10**300})  # half a character is refused by the SDK
    wire.answers = [
        answer(
            _stream(
                {"type": "message_start", "message": message | {"usage": usage}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": HOSTILE}},
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "content_block_start",
                    "index": 1,
                    "content_block": {"type": "tool_use", "id": "t\0", "name": "read_brand", "input": {}},
                },
                {
                    "type": "content_block_delta",
                    "index": 1,
                    "delta": {"type": "input_json_delta", "partial_json": tool_input},
                },
                {"type": "content_block_stop", "index": 1},
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
                {"type": "message_stop"},
            ),
            content_type="text/event-stream",
            request_id="r\x80",
        )
    ]
    client = VENDORS["anthropic"].open(ProviderAccess(wire.url, "key", sandboxed=False), settings, on_call)
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    turn = await client.turn(SYSTEM, ASK, TOOLS, hear)  # type: ignore[attr-defined]
    await client.close()
    assert heard == ["ab\ufffdc[31mde"] and turn.text == "ab\ufffdc[31mde"
    json.dumps(turn.message, allow_nan=False)
    assert (turn.tool_calls[0].id, turn.tool_calls[0].input) == ("t", {"name": "ab[31mc", "huge": None})
    assert turn.cost_usd < 100_000 and turn.tokens <= 10**8
    assert calls[-1].request_id == "r"
