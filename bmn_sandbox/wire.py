"""Small things that several vendors' wires have in common."""

import base64
import io
import json
from typing import Any

from PIL import Image
from starlette.requests import Request


class Refusal(Exception):
    """The vendor says no. status: of HTTP; body: its own words; headers: what goes with them."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, headers or {}


def bearer(request: Request) -> str:
    """The token of an `Authorization: Bearer` header, or nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises ValueError."""
    value = json.loads(await request.body())
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")
    return value


def decoded(text: str) -> bytes:
    """Base64 of the standard or the URL-safe alphabet, padded or not. Raises ValueError."""
    plain = text.replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def check_picture(data: bytes) -> None:
    """Raises ValueError where the bytes are no picture."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
    except (OSError, SyntaxError, Image.DecompressionBombError) as problem:
        raise ValueError("Unable to process input image") from problem


def server_sent(event: str, data: dict[str, Any]) -> bytes:
    """One server-sent event, with its name on a line of its own."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
