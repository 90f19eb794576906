"""Over the limit of requests: a short wait is waited, and a job that was accepted is named whatever comes after."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.kit.terminal import forked

_JOB = "logo-generation-aaaaaaaa-0000-4000-8000-000000000000"
_BRAND = {
    **{"id": "bbbbbbbb-0000-4000-8000-000000000000", "name": "Acme", "status": "draft", "details": {}},
    **dict.fromkeys(("vision", "archetype", "colorPalette", "logoStyle")),
    **dict.fromkeys(("createdAt", "updatedAt"), "2026-01-01T00:00:00.000Z"),
}
_ACCEPTED = {"jobId": _JOB, "generationJobId": _JOB, "queueName": "logo-generation", "message": "Queued."}
_ESTIMATE = {"prompts": [], "credits": 4, "creditsAvailable": 20, "usd": 0.12, "sandboxed": True, "waiting": 0}
_ANSWERS: dict[str, Any] = {
    "GET /api/v1/brands": {"brands": [_BRAND], "nextCursor": None},
    "POST /api/v1/generation/logos/estimate": _ESTIMATE,
    "POST /api/v1/generation/logos": _ACCEPTED,
}


@dataclass
class Limited:
    """A server at the wire that lets a few routes through. refuses: route -> its Retry-After for each refusal to come."""

    url: str = ""
    refuses: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, route: str) -> tuple[int, Any, dict[str, str]]:
        self.asked.append(route)
        if pending := self.refuses.get(route):
            return 429, {"error": "Too many requests: 60 a minute are allowed."}, {"Retry-After": str(pending.pop(0))}
        return 200, _ANSWERS[route], {}


@pytest.fixture
def limited() -> Iterator[Limited]:
    state = Limited()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body, headers = state.answer(f"{self.command} {self.path.partition('?')[0]}")
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield state
        server.shutdown()


def _env(limited: Limited, home: Path) -> dict[str, str]:
    return {"BMN_HOME": str(home), "BMN_API_URL": limited.url, "BMN_TOKEN": "somebody"}


def test_a_short_wait_is_waited_also_for_what_is_never_repeated_otherwise(limited: Limited, tmp_path: Path) -> None:
    limited.refuses["POST /api/v1/generation/logos"] = [0, 0]
    done = forked("generate", "logos", "--brand", "Acme", "--detach", env=_env(limited, tmp_path))
    assert done.code == 0, done.err
    assert limited.asked.count("POST /api/v1/generation/logos") == 3


def test_an_accepted_job_is_named_in_the_error_that_comes_after(limited: Limited, tmp_path: Path) -> None:
    limited.refuses[f"GET /api/v1/jobs/{_JOB}"] = [60] * 9
    done = forked("generate", "logos", "--brand", "Acme", "--json", env=_env(limited, tmp_path))
    error = json.loads(done.out)["error"]
    assert done.code == 75
    assert error["hint"] == "It was accepted before that (bmn jobs watch aaaaaaaa). Try again in 60 s."
    assert error["jobIds"] == [_JOB]
