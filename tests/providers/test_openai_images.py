"""OpenAI Images through the official SDK, against its emulator."""

import base64
import json
from collections.abc import AsyncIterator

import pytest

from bmn.errors import Cause, Moderated
from bmn.providers.base import OnCall, ProviderCall
from bmn.providers.images import verify_picture
from bmn.providers.openai_images import OpenAIImages
from bmn.settings import ProviderAccess, Settings
from tests.kit.pictures import png
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import STATUSES, Wire, answer, failing

PROMPT = 'Product mockup of "Mug" (drinkware).'


@pytest.fixture
async def images(sandbox: SandboxControl, settings: Settings, on_call: OnCall) -> AsyncIterator[OpenAIImages]:
    client = OpenAIImages(sandbox.access("/v1"), settings, on_call)
    yield client
    await client.close()


async def test_a_picture_is_made_from_a_picture(
    images: OpenAIImages, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    before = len(sandbox.ledger("openai"))
    picture = await images.edit(PROMPT, [png()])
    assert picture.mime == "image/png"
    await verify_picture(picture.data)
    rows = sandbox.ledger("openai")
    assert len(rows) == before + 1
    assert picture.cost_usd == pytest.approx(rows[-1]["usd"])
    assert (calls[-1].outcome, calls[-1].usd, calls[-1].model) == ("ok", picture.cost_usd, images.model)


async def test_rough_pictures_come_while_it_is_made(images: OpenAIImages) -> None:
    seen: list[int] = []

    async def on_partial(number: int, data: bytes) -> None:
        await verify_picture(data)
        seen.append(number)

    picture = await images.edit(PROMPT, [png()], on_partial=on_partial)
    await verify_picture(picture.data)
    assert seen == [0, 1]


async def test_a_picture_is_made_from_words_alone(
    images: OpenAIImages, sandbox: SandboxControl, calls: list[ProviderCall]
) -> None:
    seen: list[int] = []

    async def on_partial(number: int, data: bytes) -> None:
        await verify_picture(data)
        seen.append(number)

    for told in (None, on_partial):
        picture = await images.generate(PROMPT, on_partial=told)
        await verify_picture(picture.data)
        assert picture.cost_usd == pytest.approx(sandbox.ledger("openai")[-1]["usd"])
        assert (calls[-1].operation, calls[-1].outcome, calls[-1].usd) == ("generate", "ok", picture.cost_usd)
    assert seen == [0, 1]


@pytest.mark.parametrize(("status", "cause"), [*STATUSES, (404, Cause.PROVIDER_AUTH)])
async def test_a_refused_order_has_its_cause_and_is_sent_once(
    images: OpenAIImages, sandbox: SandboxControl, calls: list[ProviderCall], status: int, cause: Cause
) -> None:
    sandbox.fault("openai", status=status)
    before = len(sandbox.requests("openai"))
    failure = await failing(images.edit(PROMPT, [png()]))
    assert failure.cause is cause
    assert not failure.ambiguous
    assert len(sandbox.requests("openai")) == before + 1
    assert (calls[-1].outcome, calls[-1].usd, calls[-1].status) == (cause.value, 0.0, status)


@pytest.mark.parametrize(("said", "expected"), [(7, 7.0), (None, None), (86_400, 120.0)])
async def test_a_rate_limit_says_how_long(
    images: OpenAIImages, sandbox: SandboxControl, said: int | None, expected: float | None
) -> None:
    fault = {"status": 429} if said is None else {"status": 429, "retryAfter": said}
    sandbox.fault("openai", **fault)
    assert (await failing(images.edit(PROMPT, [png()]))).retry_after == expected


@pytest.mark.parametrize("status", [400, 429])
async def test_an_empty_account_is_not_a_rate_limit(images: OpenAIImages, sandbox: SandboxControl, status: int) -> None:
    body = {"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "insufficient_quota"}}
    sandbox.fault("openai", status=status, body=body)
    failure = await failing(images.edit(PROMPT, [png()]))
    assert failure.cause is Cause.PROVIDER_CREDIT
    assert "exceeded" not in failure.message


@pytest.mark.parametrize("stream", [False, True])
async def test_declined_content_is_moderated(images: OpenAIImages, sandbox: SandboxControl, stream: bool) -> None:
    async def on_partial(_number: int, _data: bytes) -> None: ...

    sandbox.fault("openai", moderate=1)
    with pytest.raises(Moderated):
        await images.edit(PROMPT, [png()], on_partial=on_partial if stream else None)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_lost_answer_is_ambiguous(
    images: OpenAIImages, sandbox: SandboxControl, calls: list[ProviderCall], stream: bool
) -> None:
    async def on_partial(_number: int, _data: bytes) -> None: ...

    sandbox.fault("openai", dropResponse=True, times=1)
    failure = await failing(images.edit(PROMPT, [png()], on_partial=on_partial if stream else None))
    assert failure.cause is Cause.PROVIDER_TIMEOUT
    assert failure.ambiguous
    assert calls[-1].usd > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "gzipbomb", "huge"])
async def test_an_unreadable_answer_is_garbage_and_may_have_cost(
    images: OpenAIImages, sandbox: SandboxControl, kind: str, stream: bool
) -> None:
    async def on_partial(_number: int, _data: bytes) -> None: ...

    sandbox.fault("openai", garbage=kind, times=1)
    failure = await failing(images.edit(PROMPT, [png()], on_partial=on_partial if stream else None))
    assert failure.cause is Cause.PROVIDER_GARBAGE
    assert failure.ambiguous


async def test_a_result_that_is_no_picture_is_garbage(images: OpenAIImages, sandbox: SandboxControl) -> None:
    sandbox.fault("openai", image="notimage")
    picture = await images.edit(PROMPT, [png()])
    assert (await failing(verify_picture(picture.data, paid=True))).cause is Cause.PROVIDER_GARBAGE


async def test_the_request_that_leaves_the_machine_with_a_real_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(json.dumps({"created": 1, "data": [{"b64_json": "iVBORw0KGgo="}]}).encode())]
    client = OpenAIImages(ProviderAccess(f"{wire.url}/v1", "sk-real", sandboxed=False), settings, on_call)
    picture = await client.edit(PROMPT, [png("red"), png("blue")], size="1536x1024")
    await client.close()
    assert picture.cost_usd == client.estimate(2)  # no usage was told
    assert len(wire.seen) == 1
    head, body = wire.seen[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /v1/images/edits HTTP/1.1\r\n")
    assert b"authorization: bearer sk-real\r\n" in head.lower()
    assert b"multipart/form-data; boundary=" in head.lower()
    for field in (
        b'name="model"\r\n\r\ngpt-image-2.6-sunburst\r\n',
        b'name="prompt"\r\n\r\n' + PROMPT.encode() + b"\r\n",
        b'name="size"\r\n\r\n1536x1024\r\n',
        b'name="quality"\r\n\r\nhigh\r\n',
        b'name="output_format"\r\n\r\npng\r\n',
        b'name="image[]"; filename="image-0.png"\r\nContent-Type: image/png\r\n',
        b'name="image[]"; filename="image-1.png"\r\nContent-Type: image/png\r\n',
    ):
        assert field in body
    assert png("red") in body
    assert b"input_fidelity" not in body


async def test_the_older_model_is_told_to_keep_the_logo_as_it_is(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    wire.answers = [answer(json.dumps({"created": 1, "data": [{"b64_json": "iVBORw0KGgo="}]}).encode())]
    older = settings.model_copy(update={"openai_image_model": "gpt-image-1.5"})
    client = OpenAIImages(ProviderAccess(f"{wire.url}/v1", "sk-real", sandboxed=False), older, on_call)
    await client.edit(PROMPT, [png()])
    await client.close()
    assert b'name="input_fidelity"\r\n\r\nhigh\r\n' in wire.seen[0]


def _told(**picture: str) -> bytes:
    return answer(json.dumps({"created": 1, "data": [picture]}).encode())


async def test_a_picture_that_is_told_as_an_address_is_fetched_without_the_key(
    wire: Wire, settings: Settings, on_call: OnCall
) -> None:
    """As services do that speak OpenAI's language; the first try of the picture fails, and it is not ordered again."""
    wire.answers = [_told(url=f"{wire.url}/made/1.png"), answer(b"", 503), answer(png(), content_type="image/png")]
    client = OpenAIImages(ProviderAccess(f"{wire.url}/v1", "sk-real", sandboxed=False), settings, on_call)
    picture = await client.edit(PROMPT, [png()])
    await client.close()
    assert (picture.data, picture.mime) == (png(), "image/png")
    assert [request.split(b" ")[1] for request in wire.seen] == [b"/v1/images/edits", b"/made/1.png", b"/made/1.png"]
    assert b"sk-real" not in b"".join(wire.seen[1:])


@pytest.mark.parametrize("address", ["https://10.0.0.1/a.png", "http://a.example/a.png", "file:///etc/passwd", "", "x"])
async def test_a_picture_that_cannot_be_fetched_is_garbage_that_may_have_cost(
    wire: Wire, settings: Settings, on_call: OnCall, address: str
) -> None:
    wire.answers = [_told(url=address)]
    client = OpenAIImages(ProviderAccess(f"{wire.url}/v1", "sk-real", sandboxed=False), settings, on_call)
    failure = await failing(client.edit(PROMPT, [png()]))
    await client.close()
    assert (failure.cause, failure.ambiguous, len(wire.seen)) == (Cause.PROVIDER_GARBAGE, True, 1)


async def test_a_picture_may_stand_in_its_address(wire: Wire, settings: Settings, on_call: OnCall) -> None:
    wire.answers = [_told(url=f"data:image/png;base64,{base64.b64encode(png()).decode()}")]
    client = OpenAIImages(ProviderAccess(f"{wire.url}/v1", "sk-real", sandboxed=False), settings, on_call)
    assert (await client.edit(PROMPT, [png()])).data == png()
    await client.close()
