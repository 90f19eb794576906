"""Small things that several vendors' wires have in common."""

import base64
import io
import json
import time
from collections import deque
from typing import Any

from PIL import Image
from starlette.requests import Request

from bmn.sandbox.state import Sandbox


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
    except (OSError, SyntaxError) as problem:
        raise ValueError("Unable to process input image") from problem


def server_sent(event: str, data: dict[str, Any]) -> bytes:
    """One server-sent event, with its name on a line of its own."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Limiter:
    """So many calls in so many seconds, as a vendor counts them.

    A vendor's own limit shrinks with the sandbox's speed, so that an instant sandbox has none; one that was set
    counts as it is.
    """

    def __init__(self, sandbox: Sandbox, calls: int, seconds: float) -> None:
        self._sandbox, self.calls, self.seconds = sandbox, calls, seconds
        self._scaled = True
        self._times: deque[float] = deque()

    def set(self, calls: int, seconds: float) -> None:
        self.calls, self.seconds, self._scaled = calls, seconds, False
        self._times.clear()

    def wait(self) -> float:
        """0 and the call is counted; or how many seconds the caller should wait."""
        window = self.seconds * (self._sandbox.speed if self._scaled else 1)
        now = time.monotonic()
        while self._times and self._times[0] <= now - window:
            self._times.popleft()
        if len(self._times) >= self.calls:
            return self._times[0] + window - now
        self._times.append(now)
        return 0.0

    @property
    def remaining(self) -> int:
        return max(0, self.calls - len(self._times))
