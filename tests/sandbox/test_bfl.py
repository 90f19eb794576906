"""Black Forest Labs over its own wire."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.kit.processes import PATIENCE
from tests.kit.sandbox import RunningSandbox, running

PROMPT = (
    'Professional brand logo for "Acme Coffee". Style: bold. Colors: #6F4E37, #D4A574. Brand vision: slow roasting. '
    "Clean vector-style logo on white background. Variation: Combination mark (symbol + text)."
)


@pytest.fixture
def bfl(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def client_of(sandbox: RunningSandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.url, headers={"x-key": "bfl_secret_of_ours"}, timeout=PATIENCE)


def submit(bfl: httpx.Client, prompt: str = PROMPT, model: str = "flux-2-pro", **fields: Any) -> dict[str, Any]:
    body = {"prompt": prompt, "seed": 7, "width": 256, "height": 256, "output_format": "png", **fields}
    answer = bfl.post(f"/v1/{model}", json=body)
    assert answer.status_code == 200, answer.text
    submitted: dict[str, Any] = answer.json()
    return submitted


def poll(bfl: httpx.Client, submitted: dict[str, Any]) -> dict[str, Any]:
    answer = bfl.get(submitted["polling_url"])
    assert answer.status_code == 200
    state: dict[str, Any] = answer.json()
    return state


def picture_of(bfl: httpx.Client, submitted: dict[str, Any]) -> bytes:
    state = poll(bfl, submitted)
    assert state["status"] == "Ready", state
    answer = httpx.get(state["result"]["sample"])
    assert answer.status_code == 200
    return answer.content


def test_a_picture_is_ordered_polled_and_fetched(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    submitted = submit(bfl, width=1024, height=1024)
    assert submitted["cost"] == 3.0 and submitted["input_mp"] == 0.0 and submitted["output_mp"] == 1.05
    assert submitted["polling_url"] == f"{sandbox.url}/v1/get_result?id={submitted['id']}"
    state = poll(bfl, submitted)
    assert state["status"] == "Ready" and state["result"]["seed"] == 7 and state["result"]["prompt"] == PROMPT
    answer = httpx.get(state["result"]["sample"])
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1024, 1024))


def test_a_task_is_pending_with_growing_progress_until_its_time_is_over(
    bfl: httpx.Client, sandbox: RunningSandbox
) -> None:
    sandbox.state.speed = 0.15
    submitted = submit(bfl)
    progress = []
    while (state := poll(bfl, submitted))["status"] == "Pending":
        assert state["result"] is None
        progress.append(state["progress"])
    assert state["status"] == "Ready"
    assert len(progress) > 2 and progress == sorted(progress) and 0 <= progress[0] < progress[-1] < 1


def test_jpeg_is_the_default_format(bfl: httpx.Client) -> None:
    answer = bfl.post("/v1/flux-2-pro", json={"prompt": PROMPT, "width": 256, "height": 256})
    with Image.open(io.BytesIO(picture_of(bfl, answer.json()))) as picture:
        assert picture.format == "JPEG"


def test_the_same_order_gives_the_same_picture_and_another_seed_another_one(bfl: httpx.Client) -> None:
    first, again, other = (picture_of(bfl, submit(bfl, seed=seed)) for seed in (1, 1, 4))
    assert first == again != other


def test_a_refined_logo_is_the_previous_one_with_what_the_notes_change(bfl: httpx.Client) -> None:
    before = picture_of(bfl, submit(bfl))
    # What is sent back has been stored as something else in between.
    stored = io.BytesIO()
    with Image.open(io.BytesIO(before)) as opened:
        opened.save(stored, "JPEG", quality=80)
    sent = base64.b64encode(stored.getvalue()).decode()
    refined = submit(bfl, f"{PROMPT} Make it navy.", seed=99, input_image=sent)
    assert refined["input_mp"] == 1.0 and refined["cost"] == 4.5
    old, new = (Image.open(io.BytesIO(data)).convert("RGB") for data in (before, picture_of(bfl, refined)))
    shapes = [picture.convert("L").point(lambda v: 255 if v < 250 else 0).getbbox() for picture in (old, new)]
    assert shapes[0] == shapes[1], "the drawing has moved"
    dominant = max((c for c in new.getcolors(65536) or [] if c[1] != (255, 255, 255)), key=lambda c: c[0])[1]
    assert isinstance(dominant, tuple) and dominant[2] > dominant[0], "the ink is not navy"
    other = picture_of(bfl, submit(bfl, f"{PROMPT} Make it navy.", seed=100, input_image=sent))
    assert other != picture_of(bfl, refined), "two versions are one picture"


def test_a_picture_of_unknown_origin_lends_its_colors(bfl: httpx.Client) -> None:
    foreign = io.BytesIO()
    Image.new("RGB", (320, 256), (200, 20, 20)).save(foreign, "PNG")
    body = {"prompt": "A logo", "input_image": base64.b64encode(foreign.getvalue()).decode(), "output_format": "png"}
    result = picture_of(bfl, bfl.post("/v1/flux-2-pro", json=body).json())
    with Image.open(io.BytesIO(result)) as picture:
        assert picture.size == (320, 256)
        colors = [color for _n, color in picture.getcolors(1 << 20) or []]
    assert any(isinstance(c, tuple) and c[0] > 150 and c[1] < 60 and c[2] < 60 for c in colors)


def test_an_input_image_may_be_an_address(bfl: httpx.Client) -> None:
    state = poll(bfl, submit(bfl))
    refined = submit(bfl, f"{PROMPT} Bigger, please.", input_image=state["result"]["sample"])
    assert picture_of(bfl, refined)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"prompt": None}, "prompt"),
        ({"width": 1000}, "width"),
        ({"height": 32}, "height"),
        ({"width": 4096, "height": 4096}, "width"),
        ({"output_format": "tiff"}, "output_format"),
        ({"safety_tolerance": 9}, "safety_tolerance"),
        ({"input_image": "%%%"}, "input_image"),
        ({"input_image": base64.b64encode(b"no picture").decode()}, "input_image"),
    ],
)
def test_a_bad_field_is_named_in_the_vendors_form(
    bfl: httpx.Client, sandbox: RunningSandbox, fields: dict[str, Any], place: str
) -> None:
    body = {key: value for key, value in {"prompt": PROMPT, **fields}.items() if value is not None}
    answer = bfl.post("/v1/flux-2-pro", json=body)
    assert answer.status_code == 422
    [detail] = answer.json()["detail"]
    assert detail["loc"] == ["body", place] and detail["msg"] and detail["type"]
    assert sandbox.ledger() == []


def test_a_call_without_a_key_is_refused(sandbox: RunningSandbox) -> None:
    answer = httpx.post(f"{sandbox.url}/v1/flux-2-pro", json={"prompt": PROMPT})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


def test_an_unknown_model_and_an_unknown_task_are_not_found(bfl: httpx.Client) -> None:
    assert bfl.post("/v1/flux-99", json={"prompt": PROMPT}).status_code == 404
    assert bfl.get("/v1/get_result", params={"id": "nobody"}).json()["status"] == "Task not found"


def test_the_twenty_fifth_task_in_flight_is_refused(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.state.speed = 1000
    for _ in range(24):
        submit(bfl, "[[moderate]]")  # refused content occupies a place without costing a drawing
    answer = bfl.post("/v1/flux-2-pro", json={"prompt": PROMPT})
    assert answer.status_code == 429
    assert answer.json()["error"] == "rate_limit_exceeded" and answer.headers["retry-after"]


def test_a_model_with_a_lower_limit_is_refused_earlier(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.state.speed = 1000
    for _ in range(6):
        submit(bfl, "[[moderate]]", model="flux-kontext-max")
    assert bfl.post("/v1/flux-kontext-max", json={"prompt": PROMPT}).status_code == 429


@pytest.mark.parametrize(("stage", "status"), [("request", "Request Moderated"), ("content", "Content Moderated")])
def test_the_next_pictures_are_moderated_in_the_vendors_words(
    bfl: httpx.Client, sandbox: RunningSandbox, stage: str, status: str
) -> None:
    sandbox.fault("bfl", moderate=2, stage=stage)
    states = [poll(bfl, submit(bfl)) for _ in range(3)]
    assert [state["status"] for state in states] == [status, status, "Ready"]
    assert states[0]["result"] is None and states[0]["details"]["Moderation Reasons"]


def test_a_fault_finds_one_of_several_pictures_by_its_prompt(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", moderate=1, match='for "Acme Tea"')
    states = [poll(bfl, submit(bfl, f'logo for "Acme {drink}"')) for drink in ("Coffee", "Tea", "Water")]
    assert [state["status"] for state in states] == ["Ready", "Request Moderated", "Ready"]


def test_polls_can_be_made_to_never_end_or_to_say_something_unheard_of(
    bfl: httpx.Client, sandbox: RunningSandbox
) -> None:
    submitted = submit(bfl)
    sandbox.fault("bfl", pending=True, times=2)
    sandbox.fault("bfl", unknownStatus="Reticulating", times=1)
    assert [poll(bfl, submitted)["status"] for _ in range(4)] == ["Reticulating", "Pending", "Pending", "Ready"]


def test_a_result_opens_for_its_time_and_with_its_signature_only(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    submitted = submit(bfl)
    address = poll(bfl, submitted)["result"]["sample"]
    assert httpx.get(address.replace("sig=", "sig=0")).status_code == 403
    sandbox.fault("bfl", op="download", expire=True, times=1)
    assert httpx.get(address).status_code == 403
    assert httpx.get(address).status_code == 200
    sandbox.state.result_ttl = -1
    late = httpx.get(poll(bfl, submitted)["result"]["sample"])
    assert late.status_code == 403 and "expiry" in late.text


@pytest.mark.parametrize("kind", ["notimage", "svg", "animated", "cmyk", "exif", "polyglot", "huge"])
def test_a_download_can_be_something_else_than_a_proper_picture(
    bfl: httpx.Client, sandbox: RunningSandbox, kind: str
) -> None:
    good = picture_of(bfl, submit(bfl))
    sandbox.fault("bfl", image=kind, times=1)
    bad = picture_of(bfl, submit(bfl))
    assert bad != good
    if kind in ("notimage", "svg"):
        assert b"<" in bad[:5]
        return
    if kind == "huge":
        # Its header alone is read: no decoder should be given the rest.
        assert bad[16:24] == (60_000).to_bytes(4, "big") * 2 and len(bad) < 1_000_000
        return
    with Image.open(io.BytesIO(bad)) as picture:
        checks: dict[str, Callable[[], bool]] = {
            "animated": lambda: getattr(picture, "n_frames", 1) > 1,
            "cmyk": lambda: picture.mode == "CMYK",
            "exif": lambda: picture.getexif()[0x0112] == 6 and bool(picture.getexif().get_ifd(0x8825)),
            "polyglot": lambda: bad.startswith(good) and b"<script>" in bad,
        }
        assert checks[kind]()


def test_a_task_outlives_a_restart_of_the_sandbox(tmp_path: Path) -> None:
    with running(tmp_path) as sandbox, client_of(sandbox) as bfl:
        submitted = submit(bfl)
        before = picture_of(bfl, submitted)
    with running(tmp_path) as sandbox, client_of(sandbox) as bfl:
        moved = {"polling_url": f"{sandbox.url}/v1/get_result?id={submitted['id']}"}
        assert picture_of(bfl, moved) == before
        for path in (tmp_path / "results").iterdir():
            path.unlink()
        assert picture_of(bfl, moved) == before, "a lost picture is drawn again"
