"""OpenAI Images: generations (JSON) and edits (multipart), answered with base64, in one piece or as a stream."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bmn_sandbox.media.asked import picture_asked
from bmn_sandbox.media.broken import broken_image
from bmn_sandbox.media.products import coarse, reshaped
from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import Refusal, bearer, check_picture, encoded, json_object, server_sent

PROVIDER = "openai"

_SECONDS = {"low": 3.0, "medium": 5.0, "high": 8.0}
_OUTPUT_TOKENS = {"low": 272, "medium": 1056, "high": 4160}  # for 1024 x 1024
_USD_PER_TOKEN: dict[str, float] = {"text_tokens": 5e-6, "image_tokens": 8e-6, "output_tokens": 30e-6}
_REFERENCE_TOKENS = 560
_ENDED = ("dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-1-2025-04-23")
_FIXED_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_FORMATS = ("png", "jpeg", "webp")
_MOST_IMAGES, _IMAGE_BYTES, _PROMPT_CHARS = 16, 50 * 2**20, 32_000


def _error(message: str, kind: str, code: str | None, param: str | None = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code, **more}}


_ERRORS: dict[int, dict[str, Any]] = {
    400: _error("Invalid value.", "invalid_request_error", "invalid_value"),
    401: _error("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    402: _error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    403: _error("Your organization must be verified to use this model.", "invalid_request_error", None),
    404: _error(
        "The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"
    ),
    429: _error("Rate limit reached on images per min (IPM): Limit 5, Used 5.", "requests", "rate_limit_exceeded"),
    500: _error("The server had an error while processing your request.", "server_error", "server_error"),
    503: _error("The engine is currently overloaded.", "server_error", "overloaded"),
}
_QUOTA = _error("You exceeded your current quota, check your plan.", "insufficient_quota", "insufficient_quota")


def error_body(status: int) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    return _ERRORS.get(
        status, _error(f"Error {status}", "server_error" if status >= 500 else "invalid_request_error", None)
    )


def routes(sandbox: Sandbox) -> list[Route]:
    async def generate(request: Request) -> Response:
        try:
            fields = await json_object(request)
        except ValueError:
            return _answer(Refusal(400, _invalid("We could not parse the JSON body of your request.", None)))
        return await _serve(sandbox, request, fields, [], "image_generation")

    async def edit(request: Request) -> Response:
        async with request.form(max_part_size=_IMAGE_BYTES) as form:
            images = [await part.read() for part in _uploads(form)]
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if not images:
            return _answer(Refusal(400, _invalid("Missing required parameter: 'image'.", "image")))
        return await _serve(sandbox, request, fields, images, "image_edit")

    return [
        Route("/v1/images/generations", generate, methods=["POST"], name="generate"),
        Route("/v1/images/edits", edit, methods=["POST"], name="edit"),
    ]


def _uploads(form: FormData) -> list[UploadFile]:
    """One image comes as `image`, a list of them as `image[]`."""
    return [part for name in ("image", "image[]") for part in form.getlist(name) if isinstance(part, UploadFile)]


@dataclass(frozen=True, slots=True)
class _Order:
    prompt: str
    model: str
    count: int
    width: int
    height: int
    quality: str
    background: str
    file_format: str
    stream: bool
    partials: int
    images: list[bytes]

    def usage(self) -> dict[str, Any]:
        text = max(1, len(self.prompt) // 4)
        pictures = _REFERENCE_TOKENS * len(self.images)
        each = round(_OUTPUT_TOKENS[self.quality] * self.width * self.height / 2**20) + 100 * self.partials
        out = each * self.count
        return {
            "total_tokens": text + pictures + out,
            "input_tokens": text + pictures,
            "output_tokens": out,
            "input_tokens_details": {"text_tokens": text, "image_tokens": pictures},
            "output_tokens_details": {"image_tokens": out, "text_tokens": 0},
        }

    def usd(self) -> float:
        usage = self.usage()
        spent = {**usage["input_tokens_details"], "output_tokens": usage["output_tokens"]}
        return round(sum(float(spent[kind]) * usd for kind, usd in _USD_PER_TOKEN.items()), 6)

    def described(self) -> dict[str, Any]:
        return {
            "size": f"{self.width}x{self.height}",
            "quality": self.quality,
            "background": self.background,
            "output_format": self.file_format,
        }


def _invalid(message: str, param: str | None, code: str = "invalid_value") -> dict[str, Any]:
    return _error(message, "invalid_request_error", code, param)


def _order(fields: dict[str, Any], images: list[bytes]) -> _Order:
    """Reads the fields as the vendor checks them. Raises Refusal."""
    prompt, model = fields.get("prompt"), str(fields.get("model") or "gpt-image-1.5")
    if not isinstance(prompt, str) or not prompt:
        raise Refusal(400, _invalid("Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter"))
    if len(prompt) > _PROMPT_CHARS:
        raise Refusal(
            400, _invalid(f"Invalid 'prompt': longer than {_PROMPT_CHARS}.", "prompt", "string_above_max_length")
        )
    if model in _ENDED or not model.startswith(("gpt-image-", "chatgpt-image-")):
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refusal(404, _error(message, "invalid_request_error", "model_not_found"))
    if "response_format" in fields:
        raise Refusal(400, _invalid("Unknown parameter: 'response_format'.", "response_format", "unknown_parameter"))
    if len(images) > _MOST_IMAGES:
        raise Refusal(400, _invalid(f"Too many images: at most {_MOST_IMAGES}.", "image"))
    width, height = _size(str(fields.get("size") or "auto"), model)
    quality = str(fields.get("quality") or "auto")
    return _Order(
        prompt=prompt,
        model=model,
        count=_whole(fields, "n", 1, 1, 10),
        width=width,
        height=height,
        quality="high"
        if quality in ("auto", "xhigh", "max")
        else _one_of(quality, "quality", ("low", "medium", "high")),
        background=_one_of(str(fields.get("background") or "auto"), "background", ("auto", "opaque", "transparent")),
        file_format=_one_of(str(fields.get("output_format") or "png"), "output_format", _FORMATS),
        stream=str(fields.get("stream", "")).lower() == "true",
        partials=_whole(fields, "partial_images", 0, 0, 3),
        images=images,
    )


def _whole(fields: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    given = fields.get(name)
    try:
        number = default if given is None else int(given)
    except (TypeError, ValueError):
        number = low - 1
    if not low <= number <= high:
        raise Refusal(400, _invalid(f"Invalid '{name}': {given!r} is not between {low} and {high}.", name))
    return number


def _one_of(given: str, name: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise Refusal(400, _invalid(f"Invalid value: '{given}'. Supported values are: {', '.join(known)}.", name))
    return given


def _size(text: str, model: str) -> tuple[int, int]:
    if text == "auto":
        return 1024, 1024
    width, _, height = text.partition("x")
    if text in _FIXED_SIZES:
        return int(width), int(height)
    if model.startswith("gpt-image-2") and width.isdecimal() and height.isdecimal():
        wide, high = int(width), int(height)
        if not (wide % 16 or high % 16) and 0 < wide * high <= 3840 * 2160 and 1 / 3 <= wide / high <= 3:
            return wide, high
    raise Refusal(400, _invalid(f"Invalid value: '{text}'. Supported values are: {', '.join(_FIXED_SIZES)}.", "size"))


async def _serve(
    sandbox: Sandbox, request: Request, fields: dict[str, Any], images: list[bytes], event: str
) -> Response:
    started = time.monotonic()
    try:
        if not bearer(request):
            raise Refusal(401, error_body(401))
        order = _order(fields, images)
        _scripted(sandbox, request, order)
        picture = await asyncio.to_thread(_draw, order)
    except Refusal as refusal:
        return _answer(refusal)
    sandbox.ledger.bill(
        PROVIDER,
        order.model,
        unit="image",
        units=order.count,
        usd=order.usd(),
        request_body=await request.body(),
        prompt=order.prompt,
    )
    if (rule := sandbox.take(request, "image", text=order.prompt)) and rule.image:
        picture = await asyncio.to_thread(broken_image, rule.image, picture)
    left = max(0.0, _SECONDS[order.quality] * sandbox.speed - (time.monotonic() - started))
    headers = _headers(started)
    if order.stream:
        events = _events(order, picture, event, left)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    await asyncio.sleep(left)
    data = [{"b64_json": encoded(picture)} for _ in range(order.count)]
    body = {"created": int(time.time()), **order.described(), "data": data, "usage": order.usage()}
    return JSONResponse(body, headers=headers)


def _scripted(sandbox: Sandbox, request: Request, order: _Order) -> None:
    """Refusals that a fault or a word in the prompt asks for. Raises Refusal."""
    rule = sandbox.take(request, "moderate")
    if rule or "[[moderate]]" in order.prompt:
        stage = "output" if rule and rule.stage == "content" else "input"
        details = {"moderation_stage": stage, "categories": ["violence"]}
        message = "Your request was rejected by the safety system. safety_violations=[violence]."
        body = _error(message, "image_generation_user_error", "moderation_blocked", moderation_details=details)
        raise Refusal(400, body)
    if "[[quota]]" in order.prompt:
        raise Refusal(429, _QUOTA)
    if "[[rate-limit]]" in order.prompt:
        raise Refusal(429, error_body(429), {"retry-after": "2", "retry-after-ms": "1500"})


def _draw(order: _Order) -> bytes:
    """Raises Refusal where an image cannot be read."""
    try:
        for image in order.images:
            check_picture(image)
        picture = picture_asked(order.prompt, order.images[0] if order.images else None)
    except (OSError, ValueError) as problem:
        raise Refusal(
            400, _invalid("Invalid image file or mode for image 1.", "image", "invalid_image_file")
        ) from problem
    if (order.width, order.height, order.file_format) == (1024, 1024, "png"):
        return picture
    return reshaped(picture, order.width, order.height, order.file_format)


async def _events(order: _Order, picture: bytes, event: str, seconds: float) -> AsyncIterator[bytes]:
    """Coarse previews that grow finer, then the picture."""
    for index in range(order.partials):
        await asyncio.sleep(seconds / (order.partials + 1))
        preview = await asyncio.to_thread(coarse, picture, 24 * 4**index, order.file_format)
        fields = {"b64_json": encoded(preview), "partial_image_index": index, "created_at": int(time.time())}
        yield server_sent(f"{event}.partial_image", {"type": f"{event}.partial_image", **fields, **order.described()})
    await asyncio.sleep(seconds / (order.partials + 1))
    fields = {"b64_json": encoded(picture), "created_at": int(time.time()), "usage": order.usage()}
    yield server_sent(f"{event}.completed", {"type": f"{event}.completed", **fields, **order.described()})


def _headers(started: float) -> dict[str, str]:
    return {
        "x-request-id": f"req_{uuid.uuid4().hex}",
        "openai-processing-ms": str(round((time.monotonic() - started) * 1000)),
        "openai-version": "2020-10-01",
    }


def _answer(refusal: Refusal) -> Response:
    return JSONResponse(refusal.body, refusal.status, headers={**_headers(time.monotonic()), **refusal.headers})
