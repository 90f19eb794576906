"""What every vendor module shares: the store, the ledger, the faults, the pace, and the log of requests."""

import asyncio
import contextlib
import json
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request

from bmn_sandbox.faults import Call, FaultRule, Faults
from bmn_sandbox.ledger import Ledger
from bmn_sandbox.limits import Limiter
from bmn_sandbox.store import Store

_REQUESTS_KEPT = 500
_BODY_KEPT = 2000
_SECRET_HEADERS = ("x-key", "authorization", "x-api-key", "x-goog-api-key", "apikey", "cookie")


@dataclass(slots=True)
class Sandbox:
    """One running sandbox. speed: 1.0 takes a realistic few seconds for a picture, 0 none at all."""

    state_dir: Path
    speed: float = 1.0
    result_ttl: float = 600.0  # seconds for which the address of a result opens
    store: Store = field(init=False)
    ledger: Ledger = field(init=False)
    faults: Faults = field(default_factory=Faults)
    requests: dict[str, deque[dict[str, Any]]] = field(default_factory=dict)
    limiters: dict[str, Limiter] = field(default_factory=dict)  # of the vendors that count calls
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.store = Store(self.state_dir)
        self.ledger = Ledger(self.store)

    def limiter(self, provider: str, calls: int, seconds: float) -> Limiter:
        """A vendor's own limit; the control route may set another."""
        self.limiters[provider] = Limiter(lambda: self.speed, calls, seconds)
        return self.limiters[provider]

    async def work(self, seconds: float) -> None:
        """Waits as long as the vendor would work, scaled by the sandbox's speed."""
        await asyncio.sleep(seconds * self.speed)

    def base_url(self, request: Request) -> str:
        """How the caller reached us, without a slash at the end: addresses in answers begin with it."""
        return str(request.base_url).rstrip("/")

    def take(self, request: Request, effect: str, *, text: str = "") -> FaultRule | None:
        """The fault with this effect that hits this call, if any; it is counted as used.

        text: what `match` may look at beside the request's own words, such as the prompt of a polled task.
        """
        return self.faults.take(call_of(request).with_text(text), (effect,))

    def note(self, request: Request, body: bytes, status: int | None, started: float) -> None:
        """Adds a request to the log; status None: no answer was given."""
        call = call_of(request)
        ring = self.requests.setdefault(call.provider, deque(maxlen=_REQUESTS_KEPT))
        ring.append(
            {
                "time": time.time(),
                "provider": call.provider,
                "op": call.op,
                "method": request.method,
                "path": request.url.path,
                "query": request.url.query,
                "headers": {k: _masked(k, v) for k, v in request.headers.items()},
                "body": body[:_BODY_KEPT].decode("utf-8", "replace"),
                "bodyBytes": len(body),
                "status": status,
                "ms": round((time.monotonic() - started) * 1000),
            }
        )


def _masked(name: str, value: str) -> str:
    return f"{value[:3]}***" if name.lower() in _SECRET_HEADERS else value


def call_of(request: Request) -> Call:
    """The call as the wrapper of every vendor route (`transport.py`) has described it."""
    call = request.state.call
    assert isinstance(call, Call)
    return call


def describe(request: Request, provider: str, op: str, body: bytes) -> Call:
    text = f"{request.url.path}?{request.url.query}\n{body.decode('utf-8', 'replace')}"
    with contextlib.suppress(ValueError):
        # JSON escapes quotes and other alphabets, so a prompt is compared as it was written.
        text += "\n" + "\n".join(_strings(json.loads(body)))
    return Call(provider, op, request.method, request.url.path, text)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _strings(item)]
