"""When a server of this process answers its first request."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable

from bmn.settings.web import reachable

_POLL_SECONDS = 0.01


def call_when_it_answers(listener: socket.socket, path: str, ready: Callable[[], None]) -> None:
    """Asks the server behind the listener, from a thread, until it answers 200, then calls `ready`."""
    host, port = listener.getsockname()[:2]
    host = reachable(host)

    def ask() -> None:
        while True:
            connection = http.client.HTTPConnection(host, port, timeout=5)
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    ready()
                    return
            connection.close()
            time.sleep(_POLL_SECONDS)

    threading.Thread(target=ask, daemon=True, name="readiness").start()
