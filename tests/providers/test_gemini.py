"""Gemini pictures through the official SDK, against its emulator."""

import json
from collections.abc import AsyncIterator

import pytest

from bmn.errors import Cause, Moderated
from bmn.providers.base import OnCall, ProviderCall
from bmn.providers.gemini import Gemini
from bmn.providers.images import verify_picture
from bmn.settings import ProviderAccess, Settings
from tests.kit.pictures import png
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing

PROMPT = 'Product bundle "Starter" by Acme.'


@pytest.fixture
async def gemini(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[Gemini]:
    client = Gemini(sandbox.access(), settings, on_call)
    yield client
    await client.close()


async def test_pictures_become_one(gemini: Gemini, sandbox: SandboxControl, calls: list[ProviderCall]) -> None:
    before = len(sandbox.ledger("google"))
    picture = await gemini.compose(PROMPT, [png("red"), png("blue")])
    clean = await verify_picture(picture.data)
    assert clean.width == 2048
    rows = sandbox.ledger("google")
    assert len(rows) == before + 1
    assert picture.cost_usd == pytest.approx(rows[-1]["usd"])
    assert (calls[-1].operation, calls[-1].outcome) == ("compose", "ok")


async def test_a_picture_is_made_from_words_alone(gemini: Gemini, calls: list[ProviderCall]) -> None:
    picture = await gemini.compose(PROMPT, [])
    await verify_picture(picture.data)
    assert (calls[-1].outcome, calls[-1].usd) == ("ok", picture.cost_usd)


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.PROVIDER_AUTH)])
async def test_a_refused_order_has_its_cause_and_is_sent_once(
    gemini: Gemini, sandbox: SandboxControl, calls: list[ProviderCall], status: int, cause: Cause
) -> None:
    sandbox.fault("google", status=status)
    before = len(sandbox.requests("google"))
    failure = await failing(gemini.compose(PROMPT, [png()]))
    assert failure.cause is cause
    assert not failure.ambiguous
    assert len(sandbox.requests("google")) == before + 1
    assert (calls[-1].outcome, calls[-1].usd, calls[-1].status) == (cause.value, 0.0, status)


async def test_a_rate_limit_says_how_long_in_its_body(gemini: Gemini, sandbox: SandboxControl) -> None:
    sandbox.fault("google", status=429)
    assert (await failing(gemini.compose(PROMPT, [png()]))).retry_after == 3.0


async def test_a_days_quota_is_not_a_rate_limit(gemini: Gemini, sandbox: SandboxControl) -> None:
    violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
    body = {"error": {"code": 429, "message": "x", "details": [{"violations": [violation]}]}}
    sandbox.fault("google", status=429, body=body)
    assert (await failing(gemini.compose(PROMPT, [png()]))).cause is Cause.PROVIDER_CREDIT


async def test_a_bad_key_that_comes_as_a_400_is_about_the_key(gemini: Gemini, sandbox: SandboxControl) -> None:
    body = {"error": {"code": 400, "message": "API key not valid.", "details": [{"reason": "API_KEY_INVALID"}]}}
    sandbox.fault("google", status=400, body=body)
    assert (await failing(gemini.compose(PROMPT, [png()]))).cause is Cause.PROVIDER_AUTH


@pytest.mark.parametrize("stage", ["request", "content"])
async def test_a_refusal_that_comes_as_a_200_is_moderated(gemini: Gemini, sandbox: SandboxControl, stage: str) -> None:
    sandbox.fault("google", moderate=1, stage=stage)
    with pytest.raises(Moderated):
        await gemini.compose(PROMPT, [png()])


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("NO_IMAGE", Cause.PROVIDER_GARBAGE),
        ("STOP", Cause.PROVIDER_GARBAGE),
        ("MAX_TOKENS", Cause.BAD_INPUT),
        ("RECITATION", Cause.MODERATED),
        ("SOMETHING_NEW", Cause.PROVIDER_GARBAGE),
    ],
)
@pytest.mark.filterwarnings("ignore:.*is not a valid:UserWarning")
async def test_an_answer_without_a_picture_has_its_cause(
    gemini: Gemini, sandbox: SandboxControl, reason: str, cause: Cause
) -> None:
    sandbox.fault("google", unknownStatus=reason, times=1)
    assert (await failing(gemini.compose(PROMPT, [png()]))).cause is cause


async def test_a_lost_answer_is_ambiguous(gemini: Gemini, sandbox: SandboxControl) -> None:
    sandbox.fault("google", dropResponse=True, times=1)
    failure = await failing(gemini.compose(PROMPT, [png()]))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert failure.ambiguous


@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "gzipbomb", "huge"])
async def test_an_unreadable_answer_is_garbage_and_may_have_cost(
    gemini: Gemini, sandbox: SandboxControl, kind: str
) -> None:
    sandbox.fault("google", garbage=kind, times=1)
    failure = await failing(gemini.compose(PROMPT, [png()]))
    assert failure.cause is Cause.PROVIDER_GARBAGE
    assert failure.ambiguous


async def test_the_request_that_leaves_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")  # another program's setting must not send us elsewhere
    part = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    body = {"candidates": [{"content": {"parts": [part], "role": "model"}, "finishReason": "STOP"}]}
    wire.answers = [answer(json.dumps(body).encode())]
    client = Gemini(ProviderAccess(wire.url, "AIza-real", sandboxed=False), settings, on_call)
    await client.compose(PROMPT, [png()])
    await client.close()
    assert len(wire.seen) == 1
    head, sent = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /v1/models/gemini-3-pro-image:generateContent HTTP/1.1\r\n")
    assert b"x-goog-api-key: aiza-real\r\n" in head.lower()
    order = json.loads(sent)
    assert order["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "1:1", "imageSize": "2K"},
    }
    text, picture = order["contents"][0]["parts"]
    assert text == {"text": PROMPT}
    assert picture["inlineData"]["mime_type"] == "image/png"
