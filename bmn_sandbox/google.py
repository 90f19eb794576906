"""Google Gemini images: `generateContent`, whose refusals are HTTP 200."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox.faults import FaultRule
from bmn_sandbox.media.asked import picture_asked
from bmn_sandbox.media.broken import broken_image
from bmn_sandbox.media.bundle import bundle
from bmn_sandbox.media.products import coarse, reshaped
from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import Refusal, check_picture, decoded, encoded, json_object

PROVIDER = "google"

_SECONDS = 7.0
_SIDES = {"1K": 1024, "2K": 2048, "4K": 4096}
_IMAGE_TOKENS = {"1K": 1120, "2K": 1120, "4K": 2000}
_USD_PER_TOKEN = {"in": 2e-6, "text": 12e-6, "image": 120e-6}
_REFERENCE_TOKENS, _MOST_REFERENCES = 560, 14
_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_MODELS = ("gemini-3-pro-image", "gemini-3.1-flash-image", "gemini-nano-banana", "nano-banana-pro-preview")
_ENDED = ("gemini-3-pro-image-preview",)

# What Google calls an HTTP status.
_STATUS_NAMES = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key."),
    404: ("NOT_FOUND", "Requested entity was not found."),
    409: ("ABORTED", "The operation was aborted."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The service was unable to finish processing in time."),
}


def error_body(status: int, message: str | None = None, *, reason: str | None = None) -> dict[str, Any]:
    """The vendor's error body for an HTTP status. reason: of a FAILED_PRECONDITION, which is a 400 as well."""
    name, words = _STATUS_NAMES.get(status, ("UNKNOWN", f"Error {status}"))
    error: dict[str, Any] = {"code": status, "message": message or words, "status": reason or name}
    if status == 429:
        quota = {"quotaMetric": "generate_requests", "quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}
        error["details"] = [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [quota]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"},
        ]
    return {"error": error}


def require_key(request: Request) -> None:
    """Raises Refusal where neither the header nor the address carries a key."""
    if not (request.headers.get("x-goog-api-key") or request.query_params.get("key")):
        raise Refusal(403, error_body(403))


def routes(sandbox: Sandbox) -> list[Route]:
    async def generate(request: Request) -> Response:
        try:
            return await _generate(sandbox, request)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status, headers=refusal.headers)

    paths = [f"/{version}/models/{{model}}:generateContent" for version in ("v1", "v1beta")]
    return [Route(path, generate, methods=["POST"], name="generate") for path in paths]


async def _generate(sandbox: Sandbox, request: Request) -> Response:
    started = time.monotonic()
    require_key(request)
    model = request.path_params["model"]
    if model in _ENDED or not model.startswith(_MODELS):
        text = f"models/{model} is not found for API version v1, or is not supported for generateContent."
        raise Refusal(404, error_body(404, text))
    try:
        body = await json_object(request)
        prompt, images = _contents(body)
    except ValueError as problem:
        raise Refusal(400, error_body(400, f"Invalid JSON payload received. {problem}")) from problem
    settings = _setting(body, "generationConfig", "generation_config") or {}
    ratio, size = _shape(_setting(settings, "imageConfig", "image_config") or {})
    answer = _Answer(model, prompt, len(images), size)
    rule = sandbox.take(request, "moderate")
    if blocked := _blocked(rule, prompt):
        return JSONResponse(answer.body(**blocked))
    if ended := _ended(sandbox.take(request, "unknown_status"), prompt):
        parts = [] if ended != "STOP" else [{"text": "I can describe the picture, but not draw it."}]
        return JSONResponse(answer.body(candidates=[_candidate(parts, ended)]))
    modalities = _setting(settings, "responseModalities", "response_modalities") or ["TEXT", "IMAGE"]
    if "IMAGE" not in [str(one).upper() for one in modalities]:
        return JSONResponse(answer.body(candidates=[_candidate([{"text": f"A picture: {prompt[:80]}"}], "STOP")]))
    picture, media_type = await asyncio.to_thread(_draw, prompt, images, ratio, size)
    sandbox.ledger.bill(
        PROVIDER, model, unit="image", units=1, usd=answer.usd(), request_body=await request.body(), prompt=prompt
    )
    if (broken := sandbox.take(request, "image", text=prompt)) and broken.image:
        picture = await asyncio.to_thread(broken_image, broken.image, picture)
    interim = await asyncio.to_thread(coarse, picture, 16, "jpeg") if not broken else b""
    await asyncio.sleep(max(0.0, _SECONDS * sandbox.speed - (time.monotonic() - started)))
    return JSONResponse(answer.body(candidates=[_candidate(_parts(picture, media_type, interim), "STOP")], drawn=True))


def _contents(body: dict[str, Any]) -> tuple[str, list[bytes]]:
    """The prompt and the pictures of all parts. Raises ValueError."""
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise ValueError("contents is not specified")
    texts, images = [], []
    for part in _all_parts(contents):
        if "text" in part:
            texts.append(str(part["text"]))
        elif inline := _setting(part, "inlineData", "inline_data"):
            if not _setting(inline, "mimeType", "mime_type"):
                raise ValueError("inlineData has no mimeType")
            images.append(decoded(str(inline.get("data", ""))))
        else:
            raise ValueError("a part has neither text nor inlineData")
    if len(images) > _MOST_REFERENCES:
        raise ValueError(f"at most {_MOST_REFERENCES} images")
    for data in images:
        check_picture(data)
    return "\n".join(texts), images


def _all_parts(contents: list[Any]) -> Iterator[dict[str, Any]]:
    for content in contents:
        parts = content.get("parts") if isinstance(content, dict) else None
        if not isinstance(parts, list):
            raise ValueError("a content has no parts")
        for part in parts:
            if not isinstance(part, dict):
                raise ValueError("a part is not an object")
            yield part


def _setting(fields: dict[str, Any], camel: str, snake: str) -> Any:
    """Protobuf JSON takes both spellings."""
    return fields.get(camel, fields.get(snake))


def _shape(image_config: dict[str, Any]) -> tuple[str, str]:
    ratio = _setting(image_config, "aspectRatio", "aspect_ratio") or "1:1"
    size = _setting(image_config, "imageSize", "image_size") or "1K"
    if ratio not in _RATIOS:
        raise Refusal(400, error_body(400, f"Invalid aspect ratio: {ratio}. Supported: {', '.join(_RATIOS)}."))
    if size not in _SIDES:
        raise Refusal(400, error_body(400, f"Invalid image size: {size}. Supported: {', '.join(_SIDES)}."))
    return ratio, size


def _draw(prompt: str, images: list[bytes], ratio: str, size: str) -> tuple[bytes, str]:
    """A bundle of several pictures; else a logo or a mockup. Above 1K it is a JPEG, as a large one may be."""
    picture = bundle(images, prompt) if len(images) > 1 else picture_asked(prompt, images[0] if images else None)
    wide, high = (int(part) for part in ratio.split(":"))
    scale = _SIDES[size] / (wide * high) ** 0.5
    file_format = "png" if size == "1K" else "jpeg"
    shape = (round(wide * scale / 16) * 16, round(high * scale / 16) * 16)
    if shape != (1024, 1024):
        picture = reshaped(picture, *shape, file_format)
    return picture, f"image/{file_format}"


def _parts(picture: bytes, media_type: str, interim: bytes) -> list[dict[str, Any]]:
    """Thinking first, with a rough picture in it that is not the answer; then the answer."""
    parts: list[dict[str, Any]] = [{"text": "Placing the products and balancing the light.", "thought": True}]
    if interim:
        parts.append({"inlineData": {"mimeType": "image/jpeg", "data": encoded(interim)}, "thought": True})
    final = {"inlineData": {"mimeType": media_type, "data": encoded(picture)}, "thoughtSignature": "c2lnbmF0dXJl"}
    return [*parts, final]


def _candidate(parts: list[dict[str, Any]], finish: str) -> dict[str, Any]:
    content = {"content": {"parts": parts, "role": "model"}} if parts else {}
    return {**content, "finishReason": finish, "index": 0}


def _blocked(rule: FaultRule | None, prompt: str) -> dict[str, Any] | None:
    """What moderation answers: no candidates at all, or one without a picture."""
    if rule and rule.stage == "content":
        return {"candidates": [_candidate([], "IMAGE_SAFETY")]}
    if rule or "[[moderate]]" in prompt:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    return None


def _ended(rule: FaultRule | None, prompt: str) -> str | None:
    """A finish reason without a picture: of a fault, or of `[[finish:NO_IMAGE]]` in the prompt."""
    if rule:
        return rule.unknown_status
    _, found, rest = prompt.partition("[[finish:")
    return rest.partition("]]")[0] if found else None


class _Answer:
    """The fields around the candidates, and the bill."""

    def __init__(self, model: str, prompt: str, images: int, size: str) -> None:
        self.model = model
        self.tokens_in = max(1, len(prompt) // 4) + _REFERENCE_TOKENS * images
        self.image_tokens = _IMAGE_TOKENS[size]
        self.thought_tokens = 170

    def usd(self) -> float:
        written = self.thought_tokens * _USD_PER_TOKEN["text"] + self.image_tokens * _USD_PER_TOKEN["image"]
        return round(self.tokens_in * _USD_PER_TOKEN["in"] + written, 6)

    def body(self, *, drawn: bool = False, **fields: Any) -> dict[str, Any]:
        usage: dict[str, Any] = {"promptTokenCount": self.tokens_in, "totalTokenCount": self.tokens_in}
        if drawn:
            usage["candidatesTokenCount"] = self.image_tokens
            usage["thoughtsTokenCount"] = self.thought_tokens
            usage["totalTokenCount"] += self.image_tokens + self.thought_tokens
            usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": self.image_tokens}]
        identity = {"modelVersion": self.model, "responseId": uuid.uuid4().hex[:22]}
        return {**fields, "usageMetadata": usage, **identity}
