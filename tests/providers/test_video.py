"""Video through the official SDK, against its emulator."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bmn.errors import Cause, Moderated
from bmn.mime import mime_of
from bmn.providers.base import OnCall, ProviderCall
from bmn.providers.video import Video, VideoTask
from bmn.settings import ProviderAccess, Settings
from tests.kit.pictures import png
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing

PROMPT = 'Professional 3-second product showcase video for "Mug" by Acme.'


@pytest.fixture
async def video(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[Video]:
    client = Video(sandbox.access(), settings, on_call)
    yield client
    await client.close()


async def test_a_film_is_ordered_awaited_and_fetched(
    video: Video, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    before = len(sandbox.ledger("google"))
    shares: list[float] = []

    async def on_progress(share: float) -> None:
        shares.append(share)

    task = await video.submit(PROMPT, png(), 3)
    film = await video.fetch(await video.poll(task, on_progress))
    assert mime_of(film) == "video/mp4"
    assert task.cost_usd == pytest.approx(0.30)
    assert len(sandbox.ledger("google")) == before + 1
    assert [(call.operation, call.outcome) for call in calls] == [("submit", "ok"), ("poll", "ok"), ("download", "ok")]
    assert all(0 <= share < 1 for share in shares)


@pytest.mark.parametrize("seconds", [2, 11, 30])
async def test_a_length_that_the_model_cannot_make_is_refused_before_it_is_asked(video: Video, seconds: int) -> None:
    assert (await failing(video.submit(PROMPT, png(), seconds))).cause is Cause.BAD_INPUT


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.PROVIDER_AUTH)])
async def test_a_refused_order_has_its_cause_and_is_sent_once(
    video: Video, sandbox: SandboxControl, status: int, cause: Cause
) -> None:
    sandbox.fault("google", op="video", status=status)
    before = len(sandbox.requests("google"))
    failure = await failing(video.submit(PROMPT, png(), 3))
    assert failure.cause is cause
    assert not failure.ambiguous
    assert len(sandbox.requests("google")) == before + 1


async def test_a_lost_answer_is_ambiguous(video: Video, sandbox: SandboxControl) -> None:
    sandbox.fault("google", op="video", dropResponse=True, times=1)
    failure = await failing(video.submit(PROMPT, png(), 3))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert failure.ambiguous


@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "gzipbomb", "huge"])
async def test_an_unreadable_answer_to_an_order_is_garbage_and_may_have_cost(
    video: Video, sandbox: SandboxControl, kind: str
) -> None:
    sandbox.fault("google", op="video", garbage=kind, times=1)
    failure = await failing(video.submit(PROMPT, png(), 3))
    assert failure.cause is Cause.PROVIDER_GARBAGE
    assert failure.ambiguous


async def test_declined_words_are_moderated_at_once(video: Video, sandbox: SandboxControl) -> None:
    sandbox.fault("google", moderate=1)
    with pytest.raises(Moderated):
        await video.submit(PROMPT, png(), 3)


async def test_a_declined_film_is_moderated_at_the_end(video: Video, sandbox: SandboxControl) -> None:
    sandbox.fault("google", moderate=1, stage="content")
    task = await video.submit(PROMPT, png(), 3)
    with pytest.raises(Moderated):
        await video.poll(task)


@pytest.mark.parametrize("trigger", ["[[fail]]", "[[no-video]]"])
async def test_a_film_that_never_comes_must_be_ordered_again(video: Video, trigger: str) -> None:
    task = await video.submit(f"{PROMPT} {trigger}", png(), 3)
    failure = await failing(video.poll(task))
    assert failure.task_gone
    assert failure.ambiguous


async def test_a_task_that_nobody_knows_is_gone(video: Video) -> None:
    assert (await failing(video.poll(VideoTask("v1_none", 0.3)))).task_gone


@pytest.mark.parametrize("fault", [{"pending": True}, {"unknownStatus": "reticulating"}], ids=["pending", "unknown"])
async def test_polls_that_never_end_are_ended_and_the_task_stays(
    video: Video, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    task = await video.submit(PROMPT, png(), 3)
    sandbox.fault("google", op="poll", **fault)
    failure = await failing(video.poll(task, deadline=0.6))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert not failure.ambiguous
    sandbox.clear()
    assert (await video.poll(task)).file


async def test_polls_survive_broken_answers(video: Video, sandbox: SandboxControl) -> None:
    task = await video.submit(PROMPT, png(), 3)
    for fault in ({"status": 503}, {"garbage": "html"}, {"garbage": "truncated"}, {"dropResponse": True}):
        sandbox.fault("google", op="poll", times=1, **fault)
    assert (await video.poll(task)).file


async def test_a_failed_download_is_repeated_without_a_new_order(video: Video, sandbox: SandboxControl) -> None:
    task = await video.submit(PROMPT, png(), 3)
    result = await video.poll(task)
    faults: list[dict[str, Any]] = [{"status": 500}, {"expire": True}, {"dropResponse": True}, {"garbage": "gzipbomb"}]
    causes = []
    for fault in faults:
        sandbox.fault("google", op="download", times=1, **fault)
        causes.append((await failing(video.fetch(result))).cause)
    assert causes == [Cause.DOWNLOAD_FAILED] * len(faults)
    sandbox.fault("google", op="download", garbage="html", times=1)
    assert (await failing(video.fetch(result))).cause is Cause.PROVIDER_GARBAGE, "no film"
    assert await video.fetch(result)


async def test_the_request_that_leaves_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(b'{"id":"v1_abc","object":"interaction","status":"in_progress","model":"m"}')]
    client = Video(ProviderAccess(wire.url, "AIza-real", sandboxed=False), settings, on_call)
    task = await client.submit(PROMPT, png(), 8)
    await client.close()
    assert task.id == "v1_abc"
    head, sent = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /v1/interactions HTTP/1.1\r\n")
    assert b"x-goog-api-key: aiza-real\r\n" in head.lower()
    order = json.loads(sent)
    picture, words = order["input"][0]["content"]
    assert picture == {"type": "image", "data": base64.b64encode(png()).decode(), "mime_type": "image/png"}
    assert words == {"type": "text", "text": PROMPT}
    assert {name: order[name] for name in ("model", "background", "store", "generation_config", "response_format")} == {
        "model": "gemini-omni-1.2-flash",
        "background": True,
        "store": True,
        "generation_config": {"video_config": {"task": "image_to_video"}},
        "response_format": {
            "type": "video",
            "aspect_ratio": "16:9",
            "resolution": "720p",
            "duration": "8s",
            "delivery": "uri",
        },
    }


async def test_a_film_is_fetched_from_the_configured_address_whatever_the_answer_names(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    step = {"type": "model_output", "content": [{"type": "video", "uri": "https://evil.test/v1/files/abc:download"}]}
    done = {"id": "v1_abc", "object": "interaction", "status": "completed", "model": "m", "steps": [step]}
    active = {"name": "files/abc", "state": "ACTIVE"}
    film = b"\0\0\0\x18ftypmp42" + bytes(12)
    wire.answers = [answer(json.dumps(done).encode()), answer(json.dumps(active).encode()), answer(film)]
    client = Video(ProviderAccess(wire.url, "AIza-real", sandboxed=False), settings, on_call)
    assert await client.fetch(await client.poll(VideoTask("v1_abc", 0.8))) == film
    await client.close()
    assert wire.seen[2].startswith(b"GET /v1/files/abc:download?alt=media HTTP/1.1\r\n")
