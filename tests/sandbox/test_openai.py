"""OpenAI's own client against the sandbox."""

import base64

import openai
import pytest

from tests.kit.pictures import logo_png, opened, share_of_ink
from tests.kit.processes import PATIENCE
from tests.kit.sandbox import RunningSandbox

MODEL = "gpt-image-2.6-sunburst"


@pytest.fixture
def client(sandbox: RunningSandbox) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=f"{sandbox.url}/v1", max_retries=0, timeout=PATIENCE)


def edit(client: openai.OpenAI, prompt: str = "Coffee mug, brand colors: #457b9d", **more: object) -> bytes:
    answer = client.images.edit(
        model=MODEL,
        image=[("logo.png", logo_png(), "image/png")],
        prompt=prompt,
        **more,  # type: ignore[call-overload]
    )
    assert answer.data[0].url is None
    return base64.b64decode(answer.data[0].b64_json)


def test_an_edited_mockup_carries_the_logo_that_was_sent(client: openai.OpenAI) -> None:
    picture = edit(client)
    assert opened(picture).size == (1024, 1024)
    assert share_of_ink(picture) > 0.01


def test_one_image_and_a_list_of_images_are_both_read(client: openai.OpenAI, sandbox: RunningSandbox) -> None:
    answer = client.images.edit(model=MODEL, image=("logo.png", logo_png(), "image/png"), prompt="A T-shirt")
    assert answer.data is not None and share_of_ink(base64.b64decode(answer.data[0].b64_json or "")) > 0.005
    assert answer.usage is not None and answer.usage.input_tokens_details.image_tokens > 0
    assert answer._request_id is not None and answer._request_id.startswith("req_")


def test_a_logo_is_drawn_where_one_is_asked_for(client: openai.OpenAI) -> None:
    def drawn(prompt: str) -> bytes:
        answer = client.images.generate(model=MODEL, prompt=prompt)
        assert answer.data is not None
        return base64.b64decode(answer.data[0].b64_json or "")

    asked = drawn('Professional brand logo for "Acme". Style: bold. Colors: #457b9d.')
    assert asked == drawn('Professional brand logo for "Acme". Style: bold. Colors: #457b9d.')
    assert opened(asked).size == (1024, 1024)
    assert asked != drawn('Mug with the logo for "Acme". Colors: #457b9d.')


def test_a_blank_product_is_drawn_where_no_logo_is_sent(client: openai.OpenAI) -> None:
    answer = client.images.generate(model=MODEL, prompt="A tote bag", size="1536x1024", output_format="webp")
    assert answer.data is not None
    picture = opened(base64.b64decode(answer.data[0].b64_json or ""))
    assert (picture.size, picture.format) == ((1536, 1024), "WEBP")


def test_every_image_is_billed_once(client: openai.OpenAI, sandbox: RunningSandbox) -> None:
    edit(client, prompt="A cap", quality="high")
    [row] = sandbox.ledger("openai")
    assert (row["model"], row["unit"], row["units"], row["prompt"]) == (MODEL, "image", 1, "A cap")
    assert row["usd"] == pytest.approx(0.129, abs=0.01)


def test_a_stream_sends_previews_and_then_the_picture(client: openai.OpenAI) -> None:
    stream = client.images.edit(
        model=MODEL, image=("logo.png", logo_png(), "image/png"), prompt="A mug", stream=True, partial_images=2
    )
    events = list(stream)
    assert [event.type for event in events] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    assert opened(base64.b64decode(events[0].b64_json)).size == (1024, 1024)
    assert share_of_ink(base64.b64decode(events[-1].b64_json)) > 0.01


def test_a_generation_stream_has_its_own_event_names(client: openai.OpenAI) -> None:
    stream = client.images.generate(model=MODEL, prompt="A mug", stream=True, partial_images=1)
    assert [event.type for event in stream] == ["image_generation.partial_image", "image_generation.completed"]


def test_an_ended_model_is_not_found(client: openai.OpenAI, sandbox: RunningSandbox) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.images.generate(model="gpt-image-1", prompt="A mug")
    assert caught.value.code == "model_not_found"
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"size": "1000x1000"}, "size"),
        ({"n": 11}, "n"),
        ({"quality": "ultra"}, "quality"),
        ({"response_format": "url"}, "response_format"),
    ],
)
def test_what_the_vendor_does_not_take_is_refused(client: openai.OpenAI, fields: dict[str, object], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="A mug", extra_body=fields)
    assert caught.value.param == param


def test_what_is_no_picture_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=("logo.png", b"not a picture", "image/png"), prompt="A mug")
    assert caught.value.code == "invalid_image_file"


def test_moderation_names_itself_and_costs_nothing(client: openai.OpenAI, sandbox: RunningSandbox) -> None:
    sandbox.fault("openai", moderate=1)
    with pytest.raises(openai.BadRequestError) as caught:
        edit(client)
    assert caught.value.code == "moderation_blocked"
    assert sandbox.ledger() == []
    assert edit(client)


def test_a_rate_limit_says_how_long_to_wait(client: openai.OpenAI, sandbox: RunningSandbox) -> None:
    sandbox.fault("openai", status=429, retryAfter=7, times=1)
    with pytest.raises(openai.RateLimitError) as caught:
        edit(client)
    assert (caught.value.code, caught.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "7")
    with pytest.raises(openai.RateLimitError) as caught:
        edit(client, prompt="A mug [[rate-limit]]")
    assert caught.value.response.headers["retry-after-ms"] == "1500"


def test_an_empty_account_is_told_from_a_rate_limit(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        edit(client, prompt="A mug [[quota]]")
    assert caught.value.code == "insufficient_quota"


def test_a_missing_key_is_refused(sandbox: RunningSandbox) -> None:
    import httpx

    answer = httpx.post(f"{sandbox.url}/v1/images/generations", json={"prompt": "A mug"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_a_dropped_answer_was_billed(client: openai.OpenAI, sandbox: RunningSandbox) -> None:
    sandbox.fault("openai", dropResponse=True, times=1)
    with pytest.raises(openai.APIConnectionError):
        edit(client)
    assert len(sandbox.ledger("openai")) == 1
