"""An agent's turn through the official SDK, against its emulator."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bmn.errors import Cause, Moderated
from bmn.providers.agent import Agent
from bmn.providers.base import OnCall, ProviderCall
from bmn.settings import ProviderAccess, Settings
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing
from tests.providers.samples import ASK, SYSTEM, TOOLS


@pytest.fixture
async def agent(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[Agent]:
    client = Agent(sandbox.access(), settings, on_call)
    yield client
    await client.close()


async def test_a_turn_streams_words_and_names_tools_and_costs(
    agent: Agent, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    pieces: list[str] = []

    async def on_text(piece: str) -> None:
        pieces.append(piece)

    first = await agent.turn(SYSTEM, ASK, TOOLS, on_text)
    assert first.stop_reason == "tool_use"
    assert [call.name for call in first.tool_calls] == ["read_brand"]
    assert "".join(pieces).strip() == first.text
    assert json.loads(json.dumps(first.message)) == first.message  # it is stored as it is
    rows = sandbox.ledger("anthropic")
    assert first.cost_usd == pytest.approx(rows[-1]["usd"])
    assert (calls[-1].operation, calls[-1].outcome, calls[-1].usd) == ("turn", "ok", first.cost_usd)
    assert calls[-1].request_id

    result = {"type": "tool_result", "tool_use_id": first.tool_calls[0].id, "content": '{"name": "Acme"}'}
    second = await agent.turn(SYSTEM, [*ASK, first.message, {"role": "user", "content": [result]}], TOOLS)
    assert second.stop_reason == "end_turn"
    assert second.tool_calls == ()
    assert "Acme" in second.text


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.PROVIDER_AUTH), (529, Cause.PROVIDER_OVERLOADED)])
async def test_a_refused_turn_has_its_cause_and_is_sent_once(
    agent: Agent, sandbox: SandboxControl, calls: list[ProviderCall], status: int, cause: Cause
) -> None:
    sandbox.fault("anthropic", status=status)
    before = len(sandbox.requests("anthropic"))
    failure = await failing(agent.turn(SYSTEM, ASK, TOOLS))
    assert failure.cause is cause
    assert not failure.ambiguous
    assert len(sandbox.requests("anthropic")) == before + 1
    assert (calls[-1].outcome, calls[-1].usd, calls[-1].status) == (cause.value, 0.0, status)


async def test_a_wait_of_days_is_cut(agent: Agent, sandbox: SandboxControl) -> None:
    sandbox.fault("anthropic", status=429, retryAfter=500_000)
    assert (await failing(agent.turn(SYSTEM, ASK, TOOLS))).retry_after == 120.0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."}),
        (429, {"type": "rate_limit_error", "message": "x", "details": {"error_code": "enforced_spend_limit_reached"}}),
    ],
    ids=["balance", "spend limit"],
)
async def test_an_empty_account_is_told_apart(
    agent: Agent, sandbox: SandboxControl, status: int, error: dict[str, Any]
) -> None:
    sandbox.fault("anthropic", status=status, body={"type": "error", "error": error})
    assert (await failing(agent.turn(SYSTEM, ASK, TOOLS))).cause is Cause.PROVIDER_CREDIT


async def test_a_refusal_is_moderated_and_its_tokens_are_booked(
    agent: Agent, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    sandbox.fault("anthropic", moderate=1)
    with pytest.raises(Moderated):
        await agent.turn(SYSTEM, ASK, TOOLS)
    assert calls[-1].usd > 0


async def test_a_lost_answer_is_ambiguous(agent: Agent, sandbox: SandboxControl) -> None:
    sandbox.fault("anthropic", dropResponse=True, times=1)
    failure = await failing(agent.turn(SYSTEM, ASK, TOOLS))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert failure.ambiguous


@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "gzipbomb", "huge"])
async def test_an_unreadable_answer_may_have_cost_and_runs_no_tool(
    agent: Agent, sandbox: SandboxControl, kind: str
) -> None:
    sandbox.fault("anthropic", garbage=kind, times=1)
    failure = await failing(agent.turn(SYSTEM, ASK, TOOLS))
    assert failure.cause in (Cause.PROVIDER_GARBAGE, Cause.PROVIDER_OVERLOADED)
    assert failure.ambiguous


def _events(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def _start(output: int = 1) -> dict[str, Any]:
    usage = {"input_tokens": 25, "output_tokens": output}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    return {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}}


def _block(index: int, block: dict[str, Any], delta: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        {"type": "content_block_delta", "index": index, "delta": delta},
        {"type": "content_block_stop", "index": index},
    ]


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("overloaded_error", Cause.PROVIDER_OVERLOADED),
        ("rate_limit_error", Cause.PROVIDER_RATE_LIMITED),
        ("authentication_error", Cause.PROVIDER_AUTH),
        ("something_new", Cause.PROVIDER_OVERLOADED),
    ],
)
async def test_an_error_inside_a_stream_is_told_by_its_type(
    wire: Wire, settings: Settings, on_call: OnCall, kind: str, cause: Cause
) -> None:
    error = {"type": "error", "error": {"type": kind, "message": "secret words"}}
    wire.answers = [answer(_events(_start(), error), content_type="text/event-stream")]
    client = Agent(ProviderAccess(wire.url, "key", sandboxed=False), settings, on_call)
    failure = await failing(client.turn(SYSTEM, ASK, TOOLS))
    await client.close()
    assert failure.cause is cause
    assert failure.ambiguous  # what was written until then is billed
    assert "secret" not in failure.message


async def test_a_tool_call_that_was_cut_in_half_is_not_made(wire: Wire, settings: Settings, on_call: OnCall) -> None:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "save_brand", "input": {}}
    events = [
        _start(),
        *_block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Saving."}),
        *_block(1, tool, {"type": "input_json_delta", "partial_json": '{"name": "Ac'}),
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 4096}},
        {"type": "message_stop"},
    ]
    wire.answers = [answer(_events(*events), content_type="text/event-stream")]
    client = Agent(ProviderAccess(wire.url, "key", sandboxed=False), settings, on_call)
    turn = await client.turn(SYSTEM, ASK, TOOLS)
    await client.close()
    assert turn.tool_calls == ()
    assert turn.stop_reason == "max_tokens"
    assert [block["type"] for block in turn.message["content"]] == ["text"]


async def test_the_request_that_leaves_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    events = [
        _start(),
        *_block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hello."}),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
        {"type": "message_stop"},
    ]
    wire.answers = [answer(_events(*events), content_type="text/event-stream")]
    client = Agent(ProviderAccess(wire.url, "sk-ant-real", sandboxed=False), settings, on_call)
    turn = await client.turn(SYSTEM, ASK, TOOLS)
    await client.close()
    assert turn.cost_usd == pytest.approx((25 * 2 + 15 * 10) / 1e6)
    assert len(wire.seen) == 1
    head, sent = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"authorization: bearer sk-ant-real\r\n" in head.lower()
    assert b"anthropic-version: 2026-10-21\r\n" in head.lower()
    assert json.loads(sent) == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 4096,
        "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": ASK,
        "tools": TOOLS,
        "stream": True,
    }
