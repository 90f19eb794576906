"""Google's Interactions API making video: start, poll, cancel, then fetch the file it names."""

import asyncio
import re
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox.google import PROVIDER, error_body, require_key
from bmn_sandbox.media.video import video
from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import Refusal, check_picture, decoded, encoded, json_object

__all__ = ["PROVIDER", "error_body", "routes"]

_KIND = "google.interaction"
_MODELS = ("gemini-omni-1.2-flash", "gemini-omni-1.1-flash")
_SECONDS = 12.0  # the vendor's work on one video
_TOKENS_PER_SECOND = 5792
_USD_PER_SECOND = {"360p": 0.033, "720p": 0.10, "1080p": 0.15, "4k": 0.30}
_FRAMES = {"16:9": (1280, 720), "9:16": (720, 1280)}  # whatever was asked for
_TASKS = ("text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale")


@dataclass(slots=True)
class Interaction:
    """One order for a video. ends: the unix time at which it is done. verdict: how it ends. words: why, where it fails."""

    id: str
    model: str
    prompt: str
    seconds: int
    aspect_ratio: str
    resolution: str
    delivery: str
    has_image: bool
    created: float
    ends: float
    verdict: str = "completed"
    words: str = ""
    cancelled: bool = False
    content: list[dict[str, Any]] = field(default_factory=list)


def routes(sandbox: Sandbox) -> list[Route]:
    studio = Studio(sandbox)
    found: list[Route] = []
    for version in ("v1", "v1beta"):
        found += [
            Route(f"/{version}/interactions", studio.create, methods=["POST"], name="video"),
            Route(f"/{version}/interactions/{{id}}", studio.poll, methods=["GET"], name="poll"),
            Route(f"/{version}/interactions/{{id}}", studio.delete, methods=["DELETE"], name="delete"),
            Route(f"/{version}/interactions/{{id}}/cancel", studio.cancel, methods=["POST"], name="cancel"),
            # Before the bare file, whose pattern it would fit as well.
            Route(f"/{version}/files/{{id}}:download", studio.download, methods=["GET"], name="download"),
            Route(f"/{version}/files/{{id}}", studio.file, methods=["GET"], name="file"),
        ]
    return found


class Studio:
    """The vendor's side: takes orders, films them in threads, keeps the files."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.folder = sandbox.state_dir / "videos"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._filming: dict[str, asyncio.Task[None]] = {}

    async def create(self, request: Request) -> Response:
        try:
            require_key(request)
            body = await json_object(request)
            order, image = _order(body, self.sandbox.speed)
            if image is not None:
                (self.folder / f"{order.id}.image").write_bytes(image)
            self._judge(request, order)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status)
        except ValueError as problem:
            return JSONResponse(error_body(400, f"Invalid JSON payload received. {problem}"), 400)
        self.sandbox.ledger.bill(
            PROVIDER,
            order.model,
            unit="second",
            units=order.seconds,
            usd=round(order.seconds * _USD_PER_SECOND[order.resolution], 6),
            request_body=await request.body(),
            prompt=order.prompt,
            task_id=order.id,
        )
        self._keep(order)
        if order.verdict == "completed":
            self._film(order)
        if not body.get("background"):
            await asyncio.sleep(max(0.0, order.ends - time.time()))
            return JSONResponse(await self._told(request, order))
        return JSONResponse({**_identity(order), "status": "in_progress"})

    async def poll(self, request: Request) -> Response:
        order = self._found(request)
        if order is None:
            return JSONResponse(error_body(404, "Interaction not found."), 404)
        if rule := self.sandbox.take(request, "unknown_status", text=order.prompt):
            return JSONResponse({**_identity(order), "status": rule.unknown_status})
        if self.sandbox.take(request, "pending", text=order.prompt):
            return JSONResponse({**_identity(order), "status": "in_progress"})
        return JSONResponse(await self._told(request, order))

    async def cancel(self, request: Request) -> Response:
        order = self._found(request)
        if order is None:
            return JSONResponse(error_body(404, "Interaction not found."), 404)
        if time.time() >= order.ends and not order.cancelled:
            text = "Only an interaction that is in progress can be cancelled."
            return JSONResponse(error_body(400, text, reason="FAILED_PRECONDITION"), 400)
        order.cancelled = True
        self._keep(order)
        return JSONResponse({**_identity(order), "status": "cancelled"})

    async def delete(self, request: Request) -> Response:
        if not self.sandbox.store.delete(_KIND, request.path_params["id"]):
            return JSONResponse(error_body(404, "Interaction not found."), 404)
        return JSONResponse({})

    async def file(self, request: Request) -> Response:
        order = self._of_file(request)
        if order is None:
            return JSONResponse(error_body(403, "You do not have permission to access the File."), 403)
        ready = await self._ready(order) and not self.sandbox.take(request, "pending", text=order.prompt)
        size = self._clip(order).stat().st_size if ready else 0
        address = f"{self.sandbox.base_url(request)}/v1beta/files/{_file_id(order)}"
        return JSONResponse(
            {
                "name": f"files/{_file_id(order)}",
                "state": "ACTIVE" if ready else "PROCESSING",
                "mimeType": "video/mp4",
                "sizeBytes": str(size),
                "createTime": _stamp(order.created),
                "updateTime": _stamp(min(time.time(), order.ends)),
                "expirationTime": _stamp(order.ends + 48 * 3600),
                "uri": address,
                "downloadUri": f"{address}:download?alt=media",
                "source": "GENERATED",
            }
        )

    async def download(self, request: Request) -> Response:
        order = self._of_file(request)
        if order is None or self.sandbox.take(request, "expire", text=order.prompt):
            return JSONResponse(error_body(403, "You do not have permission to access the File."), 403)
        if not await self._ready(order):
            text = "The File is not in an ACTIVE state and usage is not allowed."
            return JSONResponse(error_body(400, text, reason="FAILED_PRECONDITION"), 400)
        return Response(await asyncio.to_thread(self._clip(order).read_bytes), media_type="video/mp4")

    def _judge(self, request: Request, order: Interaction) -> None:
        """How the order will end: moderation has three forms here, and one of them is an HTTP error (Refusal)."""
        rule = self.sandbox.take(request, "moderate", text=order.prompt)
        safety = "The prompt could not be submitted. It may violate our usage guidelines for safety."
        if rule and rule.stage == "content":
            order.verdict, order.words = "failed", "The video was filtered because of a safety policy."
        elif rule or "[[moderate]]" in order.prompt:
            raise Refusal(400, error_body(400, safety))
        elif "[[no-video]]" in order.prompt:
            order.verdict = "empty"
        elif "[[fail]]" in order.prompt:
            order.verdict, order.words = "failed", "An internal error has occurred."

    async def _told(self, request: Request, order: Interaction) -> dict[str, Any]:
        """The interaction as it stands."""
        known = _identity(order)
        if order.cancelled:
            return {**known, "status": "cancelled"}
        if time.time() < order.ends:
            return {**known, "status": "in_progress"}
        if order.verdict == "failed":
            code = "safety" if "policy" in order.words else "internal"
            return {**known, "status": "failed", "errors": [{"code": code, "message": order.words}]}
        usage_in, usage_out = max(1, len(order.prompt) // 4), order.seconds * _TOKENS_PER_SECOND
        output: list[dict[str, Any]] = [{"type": "text", "text": "I could not make this video."}]
        if order.verdict == "completed":
            if not await self._ready(order):
                return {**known, "status": "in_progress"}
            output = [{"type": "video", "mime_type": "video/mp4", **await self._delivered(request, order)}]
        return {
            **known,
            "status": "completed",
            "steps": [{"type": "user_input", "content": order.content}, {"type": "model_output", "content": output}],
            "usage": {
                "total_input_tokens": usage_in,
                "total_output_tokens": usage_out,
                "total_tokens": usage_in + usage_out,
            },
        }

    async def _delivered(self, request: Request, order: Interaction) -> dict[str, str]:
        if order.delivery == "inline":
            return {"data": encoded(await asyncio.to_thread(self._clip(order).read_bytes))}
        return {"uri": f"{self.sandbox.base_url(request)}/v1beta/files/{_file_id(order)}:download?alt=media"}

    def _film(self, order: Interaction) -> asyncio.Task[None]:
        running = asyncio.create_task(asyncio.to_thread(self._shoot, order))
        self._filming[order.id] = running
        running.add_done_callback(lambda _done: self._filming.pop(order.id, None))
        return running

    def _shoot(self, order: Interaction) -> None:
        image = self.folder / f"{order.id}.image"
        width, height = _FRAMES[order.aspect_ratio]
        clip = video(image.read_bytes() if order.has_image else None, order.seconds, width, height, order.prompt)
        unfinished = self._clip(order).with_suffix(".part")
        unfinished.write_bytes(clip)
        unfinished.replace(self._clip(order))

    async def _ready(self, order: Interaction) -> bool:
        """Waits for a clip whose time has come; one that a restart has lost is filmed again."""
        if order.cancelled or order.verdict != "completed" or time.time() < order.ends:
            return False
        running = self._filming.get(order.id)
        if running is None and not self._clip(order).exists():
            running = self._film(order)
        if running is not None:
            await asyncio.shield(running)
        return True

    def _clip(self, order: Interaction) -> Path:
        return self.folder / f"{order.id}.mp4"

    def _keep(self, order: Interaction) -> None:
        self.sandbox.store.put(_KIND, order.id, asdict(order))

    def _found(self, request: Request) -> Interaction | None:
        kept = self.sandbox.store.get(_KIND, request.path_params["id"])
        return Interaction(**kept) if kept else None

    def _of_file(self, request: Request) -> Interaction | None:
        kept = self.sandbox.store.get(_KIND, f"v1_{request.path_params['id']}")
        return Interaction(**kept) if kept else None


def _identity(order: Interaction) -> dict[str, Any]:
    times = {"created": _stamp(order.created), "updated": _stamp(min(time.time(), order.ends))}
    return {"id": order.id, "object": "interaction", "model": order.model, **times}


def _file_id(order: Interaction) -> str:
    return order.id.removeprefix("v1_")


def _stamp(unix_time: float) -> str:
    return datetime.fromtimestamp(unix_time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _order(body: dict[str, Any], speed: float) -> tuple[Interaction, bytes | None]:
    """Reads an order and its first picture. Raises Refusal, or ValueError for a malformed one."""
    model = str(body.get("model", ""))
    if model not in _MODELS:
        raise Refusal(404, error_body(404, f"models/{model} is not found or does not support video."))
    content = _content(body.get("input"))
    wanted = body.get("response_format") or {}
    if not isinstance(wanted, dict) or wanted.get("type") != "video":
        raise ValueError('response_format.type must be "video" for this model')
    task = ((body.get("generation_config") or {}).get("video_config") or {}).get("task", "text_to_video")
    image = next((decoded(str(part.get("data", ""))) for part in content if part.get("type") == "image"), None)
    if image is not None:
        check_picture(image)
    elif task == "image_to_video":
        raise ValueError("image_to_video needs an image")
    now = time.time()
    order = Interaction(
        id=f"v1_{uuid.uuid4().hex}",
        model=model,
        prompt="\n".join(str(part["text"]) for part in content if part.get("type") == "text"),
        seconds=_duration(wanted.get("duration", "8s")),
        aspect_ratio=_one_of("aspect_ratio", wanted.get("aspect_ratio", "16:9"), tuple(_FRAMES)),
        resolution=_one_of("resolution", wanted.get("resolution", "720p"), tuple(_USD_PER_SECOND)),
        delivery=_one_of("delivery", wanted.get("delivery", "inline"), ("inline", "uri")),
        has_image=image is not None,
        created=now,
        ends=now + _SECONDS * speed,
        content=[{k: v for k, v in part.items() if k != "data"} for part in content],
    )
    _one_of("task", task, _TASKS)
    return order, image


def _content(given: Any) -> list[dict[str, Any]]:
    """A plain string, a list of parts, or such a list in a `user_input` step."""
    if isinstance(given, str) and given:
        return [{"type": "text", "text": given}]
    if not isinstance(given, list) or not given:
        raise ValueError("input is empty")
    parts: list[dict[str, Any]] = []
    for item in given:
        if not isinstance(item, dict):
            raise ValueError("input holds something that is not an object")
        parts += _content(item.get("content")) if item.get("type") == "user_input" else [item]
    if any(part.get("type") not in ("text", "image") for part in parts):
        raise ValueError("input parts must be of type text or image")
    return parts


def _duration(given: Any) -> int:
    found = re.fullmatch(r"(\d{1,3})(?:\.0+)?s", str(given))
    if not found or not 3 <= int(found[1]) <= 10:
        raise ValueError(f"duration must be between 3s and 10s, not {given!r}")
    return int(found[1])


def _one_of(name: str, given: Any, known: tuple[str, ...]) -> str:
    if given not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {given!r}")
    return str(given)
