"""Google's own client against the sandbox: video by the Interactions API."""

import base64
import io
import re
from typing import Any

import av
import httpx
import pytest
from google import genai
from google.genai import types

from tests.kit.pictures import logo_png
from tests.kit.processes import PATIENCE
from tests.kit.sandbox import RunningSandbox

MODEL = "gemini-omni-1.2-flash"


@pytest.fixture
def client(sandbox: RunningSandbox) -> genai.Client:
    options = types.HttpOptions(base_url=sandbox.url, timeout=20_000, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key="AIza-test", http_options=options)


def start(client: genai.Client, prompt: str = "A slow spin", *, duration: str = "3s", delivery: str = "uri") -> Any:
    picture = {"type": "image", "data": base64.b64encode(logo_png()).decode(), "mime_type": "image/png"}
    return client.interactions.create(
        model=MODEL,
        input=[picture, {"type": "text", "text": prompt}],  # type: ignore[list-item]
        response_format={
            "type": "video", "aspect_ratio": "16:9", "resolution": "720p", "duration": duration, "delivery": delivery
        },  # type: ignore[arg-type]
        generation_config={"video_config": {"task": "image_to_video"}},
        background=True,
        store=True,
        timeout=PATIENCE,
    )  # fmt: skip


def frames(mp4: bytes) -> tuple[float, int, str]:
    with av.open(io.BytesIO(mp4)) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(stream))
        return container.duration / 1_000_000, count, stream.codec_context.name


def test_a_video_is_started_polled_and_fetched(client: genai.Client, sandbox: RunningSandbox) -> None:
    started = start(client)
    assert started.status == "in_progress"
    done = client.interactions.get(started.id)
    assert done.status == "completed"
    uri = done.output_video.uri
    found = re.search(r"files/([^/:?]+)", uri)
    assert found
    file = client.files.get(name=found[1])
    assert (file.state, file.mime_type) == ("ACTIVE", "video/mp4")
    mp4 = client.files.download(file=f"files/{found[1]}")
    assert len(mp4) == file.size_bytes
    assert frames(mp4) == (3.0, 72, "h264")


def test_seconds_are_billed(client: genai.Client, sandbox: RunningSandbox) -> None:
    started = start(client, duration="4s")
    [row] = sandbox.ledger("google")
    assert (row["unit"], row["units"], row["usd"], row["taskId"]) == ("second", 4, 0.4, started.id)
    assert client.interactions.get(started.id).usage.total_output_tokens == 4 * 5792


def test_a_video_may_come_inline(client: genai.Client) -> None:
    done = client.interactions.get(start(client, delivery="inline").id)
    assert frames(base64.b64decode(done.output_video.data))[1] == 72


@pytest.mark.parametrize("duration", ["2s", "11s", "8", "eight"])
def test_a_duration_outside_three_to_ten_seconds_is_refused(
    client: genai.Client, sandbox: RunningSandbox, duration: str
) -> None:
    with pytest.raises(Exception, match="duration") as caught:
        start(client, duration=duration)
    assert caught.value.status_code == 400  # type: ignore[attr-defined]
    assert sandbox.ledger() == []


def test_a_video_in_progress_can_be_cancelled(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.state.speed = 1.0
    started = start(client)
    assert client.interactions.cancel(started.id).status == "cancelled"
    assert client.interactions.get(started.id).status == "cancelled"


def test_a_finished_video_cannot_be_cancelled(client: genai.Client) -> None:
    started = start(client)
    with pytest.raises(Exception, match="in progress") as caught:
        client.interactions.cancel(started.id)
    assert caught.value.status_code == 400  # type: ignore[attr-defined]


def test_a_deleted_interaction_is_gone(client: genai.Client) -> None:
    started = start(client)
    client.interactions.delete(started.id)
    with pytest.raises(Exception, match="not found") as caught:
        client.interactions.get(started.id)
    assert caught.value.status_code == 404  # type: ignore[attr-defined]


def test_polls_can_be_made_endless(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", pending=True, op="poll", times=2)
    sandbox.fault("google", pending=True, op="file", times=1)
    started = start(client)
    assert [client.interactions.get(started.id).status for _ in range(3)] == ["in_progress", "in_progress", "completed"]
    assert client.files.get(name=started.id.removeprefix("v1_")).state == "PROCESSING"


def test_moderation_has_three_forms(client: genai.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("google", moderate=1)
    with pytest.raises(Exception, match="safety") as caught:
        start(client)
    assert caught.value.status_code == 400  # type: ignore[attr-defined]
    sandbox.fault("google", moderate=1, stage="content")
    failed = client.interactions.get(start(client).id)
    assert failed.status == "failed"
    empty = client.interactions.get(start(client, prompt="A spin [[no-video]]").id)
    assert (empty.status, empty.output_video) == ("completed", None)


def test_a_failure_says_why(client: genai.Client, sandbox: RunningSandbox) -> None:
    started = start(client, prompt="A spin [[fail]]")
    told = httpx.get(f"{sandbox.url}/v1/interactions/{started.id}", headers={"x-goog-api-key": "k"}).json()
    assert told["status"] == "failed" and told["errors"][0]["code"] == "internal"


def test_an_unknown_model_is_not_found(sandbox: RunningSandbox) -> None:
    answer = httpx.post(
        f"{sandbox.url}/v1beta/interactions", headers={"x-goog-api-key": "k"}, json={"model": "veo-3", "input": "x"}
    )
    assert answer.status_code == 404
