"""A receiver of webhooks: checks each signature by the official library, keeps what it took, and answers as it is told.

`python -m tests.kit.receiver PORT SECRET FILE` is one in a process of its own, whose clock may be another's; each message
that it has taken is a line of the file, its id and the message.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

Answer = tuple[int, dict[str, str]]


@dataclass
class HookReceiver:
    """secrets: any of these may have signed. answers: given in turn, then 204. slow: seconds before each answer."""

    secrets: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    slow: float = 0.0
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def times(self) -> Counter[str]:
        """How often each `webhook-id` was taken."""
        return Counter(delivery_id for delivery_id, _ in self.taken)

    def heard(self) -> list[str]:
        """The kinds of what it took, each id once, in the order they came."""
        return [message["type"] for _, message in dict(self.taken).items()]

    def start(self) -> "HookReceiver":
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self._take))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _take(self, headers: dict[str, str], body: bytes) -> Answer:
        time.sleep(self.slow)
        if self.answers:
            answer = self.answers.pop(0)
            self.refused.append(headers["webhook-id"])
            return answer
        self.taken.append((headers["webhook-id"], self._verified(headers, body)))
        return 204, {}

    def _verified(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        for secret in self.secrets:
            try:
                found: dict[str, Any] = Webhook(secret).verify(body, headers)
                return found
            except Exception:  # noqa: BLE001, another secret may have signed it
                continue
        return {"type": "unsigned"}


def _handler(take: Callable[[dict[str, str], bytes], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            if len(body := self.rfile.read(length)) < length:
                return  # its sender died of a kill
            status, headers = take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Writing(HookReceiver):
    """file: where each message that was taken is a line."""

    file: Path

    def _take(self, headers: dict[str, str], body: bytes) -> Answer:
        answer = super()._take(headers, body)
        with self.file.open("a") as lines:
            lines.write(json.dumps(self.taken[-1]) + "\n")
        return answer


if __name__ == "__main__":
    receiver = _Writing(secrets=[sys.argv[2]], port=int(sys.argv[1]))
    receiver.file = Path(sys.argv[3])
    receiver.start()
    threading.Event().wait()
