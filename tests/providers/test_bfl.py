"""Black Forest Labs against its emulator: rows 38 to 48 of the fault matrix."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bmn.errors import Cause, Moderated
from bmn.providers.base import OnCall, ProviderCall
from bmn.providers.bfl import Bfl, ImageRequest, Task
from bmn.providers.images import input_picture, verify_picture
from bmn.settings import ProviderAccess, Settings
from tests.kit.processes import wait_until
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing
from tests.providers.samples import BFL_PROMPT, BFL_REQUEST


@pytest.fixture
async def bfl(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[Bfl]:
    client = Bfl(sandbox.access(), settings, on_call)
    yield client
    await client.close()


async def test_a_picture_is_ordered_awaited_and_fetched(
    bfl: Bfl, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    before = len(sandbox.ledger("bfl"))
    task = await bfl.submit(BFL_REQUEST)
    picture = await verify_picture(await bfl.collect(task))
    assert (picture.width, picture.height) == (256, 256)
    assert task.cost_usd == 0.03
    assert len(sandbox.ledger("bfl")) == before + 1
    assert [(call.operation, call.outcome, call.usd) for call in calls] == [
        ("submit", "ok", 0.03),
        ("wait", "ok", 0.0),
        ("download", "ok", 0.0),
    ]
    assert all(call.sandboxed for call in calls)


async def test_a_refinement_sends_the_picture_and_costs_more(bfl: Bfl) -> None:
    first = await verify_picture(await bfl.collect(await bfl.submit(BFL_REQUEST)))
    request = ImageRequest(BFL_PROMPT, seed=8, width=256, height=256, input_image=first.data)
    assert bfl.estimate(request) == pytest.approx(0.045)
    task = await bfl.submit(request)
    assert task.cost_usd == pytest.approx(0.045)


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.PROVIDER_AUTH)])
async def test_a_refused_order_has_its_cause_and_costs_nothing(
    bfl: Bfl, sandbox: SandboxControl, calls: list[ProviderCall], status: int, cause: Cause
) -> None:
    sandbox.fault("bfl", op="submit", status=status)
    failure = await failing(bfl.submit(BFL_REQUEST))
    assert failure.cause is cause
    assert not failure.ambiguous
    assert (calls[0].outcome, calls[0].usd, calls[0].status) == (cause.value, 0.0, status)


@pytest.mark.parametrize(("said", "expected"), [(7, 7.0), (None, 5.0), (86_400, 120.0)])
async def test_a_rate_limit_says_how_long(bfl: Bfl, sandbox: SandboxControl, said: int | None, expected: float) -> None:
    fault = {"status": 429} if said is None else {"status": 429, "retryAfter": said}
    sandbox.fault("bfl", op="submit", **fault)
    failure = await failing(bfl.submit(BFL_REQUEST))
    assert failure.retry_after == expected


async def test_a_422_names_the_field(bfl: Bfl, sandbox: SandboxControl) -> None:
    sandbox.fault("bfl", op="submit", status=422)
    assert "field body.prompt" in (await failing(bfl.submit(BFL_REQUEST))).message


@pytest.mark.parametrize("stage", ["request", "content"])
async def test_declined_content_is_moderated(bfl: Bfl, sandbox: SandboxControl, stage: str) -> None:
    sandbox.fault("bfl", moderate=1, stage=stage)
    task = await bfl.submit(BFL_REQUEST)
    with pytest.raises(Moderated) as caught:
        await bfl.wait(task)
    assert not caught.value.retryable


async def test_an_order_whose_answer_is_lost_is_ambiguous(
    bfl: Bfl, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    before = len(sandbox.ledger("bfl"))
    sandbox.fault("bfl", op="submit", dropResponse=True, times=1)
    failure = await failing(bfl.submit(BFL_REQUEST))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert failure.ambiguous
    assert len(sandbox.ledger("bfl")) == before + 1
    assert calls[0].usd == 0.03  # it may have cost that


@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "gzipbomb", "huge"])
async def test_an_unreadable_answer_to_an_order_is_garbage_and_may_have_cost(
    bfl: Bfl, sandbox: SandboxControl, kind: str
) -> None:
    sandbox.fault("bfl", op="submit", garbage=kind, times=1)
    failure = await failing(bfl.submit(BFL_REQUEST))
    assert failure.cause is Cause.PROVIDER_GARBAGE
    assert failure.ambiguous


async def test_polls_survive_broken_answers(bfl: Bfl, sandbox: SandboxControl) -> None:
    task = await bfl.submit(BFL_REQUEST)
    for fault in ({"status": 503}, {"garbage": "html"}, {"dropResponse": True}, {"garbage": "gzipbomb"}):
        sandbox.fault("bfl", op="poll", times=1, **fault)
    assert (await bfl.wait(task)).startswith(sandbox.url)


async def test_a_poll_that_is_refused_ends_at_once(bfl: Bfl, sandbox: SandboxControl) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", op="poll", status=401)
    assert (await failing(bfl.wait(task))).cause is Cause.PROVIDER_AUTH


@pytest.mark.parametrize("fault", [{"pending": True}, {"unknownStatus": "Reticulating"}], ids=["pending", "unknown"])
async def test_polls_that_never_end_are_ended_and_the_task_stays(
    bfl: Bfl, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", **fault)
    failure = await failing(bfl.wait(task, deadline=0.7))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert not failure.ambiguous
    sandbox.clear()
    assert await bfl.collect(task)


async def test_a_task_that_nobody_knows_is_gone(bfl: Bfl, sandbox: SandboxControl) -> None:
    failure = await failing(bfl.wait(Task("none", f"{sandbox.url}/v1/get_result?id=none", 0.03)))
    assert failure.task_gone
    assert failure.ambiguous


async def test_an_expired_address_is_asked_for_anew(bfl: Bfl, sandbox: SandboxControl) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", expire=True, times=1)
    await verify_picture(await bfl.collect(task))


async def test_a_picture_that_stays_expired_must_be_ordered_again(bfl: Bfl, sandbox: SandboxControl) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", expire=True)
    failure = await failing(bfl.collect(task))
    assert failure.ambiguous
    assert failure.task_gone


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"garbage": "huge"}, {"garbage": "gzipbomb"}, {"dropResponse": True}]
)
async def test_a_failed_download_is_repeated_without_a_new_order(
    bfl: Bfl, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", op="download", times=1, **fault)
    failure = await failing(bfl.collect(task))
    assert failure.cause is Cause.DOWNLOAD_FAILED
    assert not failure.ambiguous
    assert await bfl.collect(task)


@pytest.mark.parametrize("kind", ["notimage", "svg", "huge"])
async def test_a_result_that_is_no_picture_is_garbage(bfl: Bfl, sandbox: SandboxControl, kind: str) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", image=kind)
    assert (await failing(verify_picture(await bfl.collect(task)))).cause is Cause.PROVIDER_GARBAGE


@pytest.mark.parametrize("kind", ["animated", "cmyk", "exif", "polyglot"])
async def test_an_odd_picture_is_kept_as_it_was_sent_and_made_plain_for_a_model(
    bfl: Bfl, sandbox: SandboxControl, kind: str
) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", image=kind)
    sent = await bfl.collect(task)
    assert (await verify_picture(sent)).data == sent
    clean = await input_picture(sent, max_side=2048)
    assert b"Exif" not in clean.data
    assert b"<script" not in clean.data


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://bfl.ai.evil.test/x",
        "https://evilbfl.ai/x",
        "http://api.bfl.ai/x",
        "https://user@api.bfl.ai/x",
        "https://api.bfl.ai:6379/x",
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "",
    ],
)
async def test_addresses_on_strange_hosts_are_not_visited(bfl: Bfl, calls: list[ProviderCall], url: str) -> None:
    assert (await failing(bfl.download(url))).cause is Cause.DOWNLOAD_FAILED
    assert (await failing(bfl.wait(Task("t", url, 0)))).cause is Cause.PROVIDER_GARBAGE
    assert calls == []


async def test_cancelling_a_wait_ends_it_though_its_poll_hangs(
    bfl: Bfl, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    task = await bfl.submit(BFL_REQUEST)
    sandbox.fault("bfl", op="poll", hang=True)
    waiting = asyncio.create_task(bfl.wait(task))
    await asyncio.to_thread(wait_until, sandbox.hits, what="the poll")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert calls[-1].outcome == "cancelled"


async def test_the_request_that_leaves_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(b'{"id":"t1","polling_url":"https://api.us.bfl.ai/v1/get_result?id=t1","cost":4.5}')]
    client = Bfl(ProviderAccess(wire.url, "bfl_real", sandboxed=False), settings, on_call)
    task = await client.submit(ImageRequest(BFL_PROMPT, 42, input_image=b"png"))
    await client.close()
    head, body = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /v1/flux-2-pro HTTP/1.1\r\n")
    assert b"x-key: bfl_real\r\n" in head.lower()
    assert b"authorization" not in head.lower()
    assert json.loads(body) == {
        "prompt": BFL_PROMPT,
        "width": 1024,
        "height": 1024,
        "seed": 42,
        "output_format": "png",
        "safety_tolerance": 2,
        "input_image": base64.b64encode(b"png").decode(),
    }
    assert task == Task("t1", "https://api.us.bfl.ai/v1/get_result?id=t1", 0.045)


async def test_the_key_is_not_sent_to_where_pictures_are_fetched(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(b"png", content_type="image/png")]
    client = Bfl(ProviderAccess(wire.url, "bfl_real", sandboxed=False), settings, on_call)
    assert await client.download(f"{wire.url}/sample.png") == b"png"
    await client.close()
    assert b"bfl_real" not in wire.seen[0]
