"""What may be sent to Black Forest Labs, what it costs, and how the vendor words a refusal."""

import base64
import binascii
import io
import json
import math
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

_MEGAPIXEL = 2**20  # 1024 x 1024 is billed as one
_REFERENCE_BYTES = 32 * 2**20
_REFERENCES = ["input_image", *(f"input_image_{n}" for n in range(2, 9))]


@dataclass(frozen=True, slots=True)
class Model:
    """Prices in credits (1 credit = 1 US cent). in_flight: tasks at once. step: sides are multiples of it."""

    first_mp: float
    further_mp: float
    input_mp: float
    in_flight: int = 24
    step: int = 16
    smallest: int = 64


MODELS: dict[str, Model] = {
    "flux-2-pro": Model(3.0, 1.5, 1.5),
    "flux-2-pro-preview": Model(3.0, 1.5, 1.5),
    "flux-2-max": Model(7.0, 3.0, 3.0),
    "flux-2-flex": Model(5.0, 5.0, 5.0),
    "flux-2-klein-4b": Model(1.4, 0.1, 0.1),
    "flux-2-klein-9b": Model(1.5, 0.2, 0.2),
    "flux-pro-1.1": Model(4.0, 0.0, 0.0, step=32, smallest=256),
    "flux-pro-1.1-ultra": Model(6.0, 0.0, 0.0),
    "flux-kontext-pro": Model(4.0, 0.0, 0.0),
    "flux-kontext-max": Model(8.0, 0.0, 0.0, in_flight=6),
}


class BadInput(Exception):
    """The vendor refuses the body; `body()` is its answer, in FastAPI's form."""

    def __init__(self, loc: list[str | int], msg: str, kind: str) -> None:
        super().__init__(msg)
        self.detail = [{"loc": loc, "msg": msg, "type": kind}]

    def body(self) -> dict[str, Any]:
        return {"detail": self.detail}


class _Body(BaseModel):
    """Fields it does not know are ignored; whether the vendor does so is not documented."""

    model_config = ConfigDict(extra="ignore")

    prompt: str
    seed: int | None = None
    width: int | None = Field(None, ge=64)
    height: int | None = Field(None, ge=64)
    safety_tolerance: int = Field(2, ge=0, le=6)
    output_format: str = "jpeg"

    @field_validator("output_format")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ("jpeg", "png"):
            raise ValueError("Input should be 'jpeg' or 'png'")
        return value


@dataclass(frozen=True, slots=True)
class Submission:
    """A body that was accepted. width, height in pixels. references: the input images' bytes. input_mp: theirs."""

    prompt: str
    seed: int | None
    width: int
    height: int
    output_format: str
    references: list[bytes]
    input_mp: float

    def cost(self, model: str) -> float:
        """Credits."""
        price = MODELS[model]
        output = math.ceil(self.width * self.height / _MEGAPIXEL)
        return round(price.first_mp + price.further_mp * (output - 1) + price.input_mp * self.input_mp, 4)


async def read_submission(model: str, raw: bytes) -> Submission:
    """The body as an order, input images fetched or decoded. Raises BadInput."""
    try:
        data = json.loads(raw)
    except ValueError as problem:
        raise BadInput(["body", 0], "JSON decode error", "json_invalid") from problem
    try:
        body = _Body.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise BadInput(["body", *first["loc"]], first["msg"], first["type"]) from problem
    references = [await _reference(name, data[name]) for name in _REFERENCES if data.get(name)]
    sizes = [_pixels(name, image) for name, image in zip(_REFERENCES, references, strict=False)]
    default = sizes[0] if sizes else (1024, 1024)
    width, height = body.width or _fit(default[0]), body.height or _fit(default[1])
    _check_size(MODELS[model], width, height)
    input_mp = float(sum(math.ceil(w * h / _MEGAPIXEL) for w, h in sizes))
    return Submission(body.prompt, body.seed, width, height, body.output_format, references, input_mp)


def _check_size(model: Model, width: int, height: int) -> None:
    for name, value in (("width", width), ("height", height)):
        if value % model.step:
            raise BadInput(["body", name], f"Input should be a multiple of {model.step}", "multiple_of")
        if value < model.smallest:
            raise BadInput(
                ["body", name], f"Input should be greater than or equal to {model.smallest}", "greater_than_equal"
            )
    if width * height > 4 * _MEGAPIXEL:
        raise BadInput(["body", "width"], "The image may have at most 4 megapixels", "value_error")


async def _reference(name: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise BadInput(["body", name], "Input should be a valid string", "string_type")
    if value.startswith(("http://", "https://")):
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
                answer = await http.get(value)
                answer.raise_for_status()
        except httpx.HTTPError as problem:
            raise BadInput(["body", name], "Could not download the image", "value_error") from problem
        return answer.content[:_REFERENCE_BYTES]
    try:
        return base64.b64decode(value.partition(",")[2] if value.startswith("data:") else value, validate=True)
    except binascii.Error as problem:
        raise BadInput(["body", name], "Neither a URL nor base64", "value_error") from problem


def _pixels(name: str, image: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(image)) as opened:
            return opened.size
    except (OSError, ValueError, Image.DecompressionBombError) as problem:
        raise BadInput(["body", name], "Not an image", "value_error") from problem


def _fit(side: int) -> int:
    return max(256, min(2048, side // 16 * 16))
