"""Google's own client against the sandbox: pictures."""

import io
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types
from PIL import Image

from tests.kit.pictures import logo_png, opened, share_of_ink
from tests.kit.processes import PATIENCE
from tests.kit.sandbox import RunningSandbox

MODEL = "gemini-3-pro-image"


@pytest.fixture
def client(sandbox: RunningSandbox) -> genai.Client:
    options = types.HttpOptions(base_url=sandbox.url, timeout=20_000, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key="AIza-test", http_options=options)


def compose(
    client: genai.Client,
    prompt: str = "Arrange 2 products in a grid layout. #1d3557",
    *,
    size: str = "1K",
    ratio: str = "1:1",
) -> types.GenerateContentResponse:
    pictures = [types.Part.from_bytes(data=logo_png(), mime_type="image/png") for _ in range(2)]
    return client.models.generate_content(
        model=MODEL,
        contents=[prompt, *pictures],
        config=types.GenerateContentConfig(
            response_modalities=["TEXT", "IMAGE"],
            image_config=types.ImageConfig(aspect_ratio=ratio, image_size=size),
        ),
    )


def final_image(answer: types.GenerateContentResponse) -> bytes:
    parts = [part for part in answer.parts or [] if part.inline_data and not part.thought]
    assert len(parts) == 1
    blob = parts[0].inline_data
    assert blob is not None and blob.data is not None
    return blob.data


def test_a_bundle_is_composed_of_the_pictures_that_were_sent(client: genai.Client) -> None:
    picture = final_image(compose(client))
    assert opened(picture).size == (1024, 1024)
    assert share_of_ink(picture) > 0.05


def test_thinking_comes_first_and_may_hold_a_rough_picture(client: genai.Client) -> None:
    parts = compose(client).parts or []
    assert [bool(part.thought) for part in parts] == [True, True, False]


def test_a_large_picture_has_the_asked_shape(client: genai.Client) -> None:
    image = opened(final_image(compose(client, size="2K", ratio="16:9")))
    assert image.format == "JPEG"
    assert image.width / image.height == pytest.approx(16 / 9, abs=0.02)


def test_a_picture_is_billed_by_its_tokens(client: genai.Client, sandbox: RunningSandbox) -> None:
    answer = compose(client)
    assert answer.usage_metadata is not None
    assert [detail.token_count for detail in answer.usage_metadata.candidates_tokens_details or []] == [1120]
    [row] = sandbox.ledger("google")
    assert row["usd"] == pytest.approx(0.14, abs=0.01)


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("spelling", ["mimeType", "mime_type"])
def test_both_spellings_versions_and_alphabets_are_read(sandbox: RunningSandbox, version: str, spelling: str) -> None:
    import base64

    data = base64.urlsafe_b64encode(logo_png()).decode().rstrip("=")
    answer = httpx.post(
        f"{sandbox.url}/{version}/models/{MODEL}:generateContent",
        headers={"x-goog-api-key": "k"},
        json={"contents": [{"parts": [{"text": "A mug"}, {"inlineData": {spelling: "image/png", "data": data}}]}]},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    assert "inlineData" in answer.json()["candidates"][0]["content"]["parts"][-1]


def test_a_blocked_prompt_has_no_candidates(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", moderate=1)
    answer = compose(client)
    assert answer.parts is None
    assert answer.prompt_feedback is not None and answer.prompt_feedback.block_reason == "PROHIBITED_CONTENT"
    assert sandbox.ledger() == []


def test_a_blocked_picture_has_a_finish_reason(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", moderate=1, stage="content")
    answer = compose(client)
    assert answer.candidates is not None and answer.candidates[0].finish_reason == "IMAGE_SAFETY"
    assert not answer.parts


def test_no_image_can_be_scripted(client: genai.Client) -> None:
    answer = compose(client, prompt="A bundle [[finish:NO_IMAGE]]")
    assert answer.candidates is not None and answer.candidates[0].finish_reason == "NO_IMAGE"


def test_a_rate_limit_carries_its_delay(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", status=429, times=1)
    with pytest.raises(errors.ClientError) as caught:
        compose(client)
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    details: list[dict[str, Any]] = caught.value.details["error"]["details"]
    assert details[-1]["retryDelay"] == "3s"


def test_a_server_error_is_one(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", status=503, times=1)
    with pytest.raises(errors.ServerError):
        compose(client)


def test_an_ended_model_is_not_found(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="gemini-3-pro-image-preview", contents="A mug")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_bad_input_is_refused(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        compose(client, ratio="7:3")
    assert caught.value.status == "INVALID_ARGUMENT"
    part = types.Part.from_bytes(data=b"no picture", mime_type="image/png")
    with pytest.raises(errors.ClientError):
        client.models.generate_content(model=MODEL, contents=["A mug", part])


def test_a_caller_without_a_key_is_refused(sandbox: RunningSandbox) -> None:
    answer = httpx.post(f"{sandbox.url}/v1/models/{MODEL}:generateContent", json={"contents": []})
    assert answer.status_code == 403


def test_a_broken_picture_can_be_asked_for(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", image="notimage", times=1)
    with pytest.raises(OSError):
        Image.open(io.BytesIO(final_image(compose(client))))
