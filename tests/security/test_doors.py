"""What comes in is bounded in size, time and number before anybody looks at it, whoever sends it."""

import json
import logging
import re
import socket
import struct
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from bmn.server.pages import rendering
from tests.kit.processes import PATIENCE, wait_until
from tests.security.target import Target

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


def connect(target: Target) -> socket.socket:
    address = httpx.URL(target.url)
    return socket.create_connection((address.host, address.port or 80), timeout=PATIENCE)


def read_to_end(client: socket.socket) -> bytes:
    """All that is answered until the server ends the connection."""
    found = b""
    try:
        while part := client.recv(65_536):
            found += part
    except ConnectionError:
        pass
    return found


def send_all_it_takes(client: socket.socket, chunks: int, chunk: bytes) -> None:
    try:
        for _ in range(chunks):
            client.sendall(chunk)
    except ConnectionError:
        pass


def handshake(target: Target) -> str:
    with httpx.Client(base_url=target.url, trust_env=False) as client:
        return str(json.loads(client.get(HANDSHAKE).text[1:])["sid"])


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


# --- bodies of strangers ---------------------------------------------------------------------------------------------------


_FOR_ANYBODY = {"/signin", "/signin/local", "/mails/{token}"}


def test_whoever_has_no_good_token_is_refused_before_their_body_comes(target: Target) -> None:
    asked = [
        (method, route.path_format)
        for route in target.app.api.routes
        if isinstance(route, APIRoute) and route.body_field is not None and route.path not in _FOR_ANYBODY
        for method in route.methods or ()
    ]
    assert len(asked) > 40
    for method, path in asked:
        head = f"{method} {re.sub('{.*?}', '1', path)} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        with connect(target) as client:
            client.sendall(head.encode() + b"Content-Length: 900000\r\nAuthorization: Bearer nobody's\r\n\r\n{")
            assert client.recv(65_536).startswith(b"HTTP/1.1 401 "), (method, path)


# --- heads ----------------------------------------------------------------------------------------------------------------

ENDLESS = {
    "lines": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 10_000),
    "one line": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Pad: ", b"a" * 60_000),
    "one name": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n", b"a" * 60_000),
    "the address": (b"GET /", b"a" * 60_000),
    "nothing but ends of lines": (b"", b"\r\n" * 30_000),
    "lines behind a body": (
        b"POST /health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
        b"a: b\r\n" * 10_000,
    ),
    "one line behind a body": (
        b"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\na: ",
        b"b" * 60_000,
    ),
    "what stands beside a chunk": (
        b"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"b" * 60_000,
    ),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_head_without_end_is_not_kept(target: Target, kind: str) -> None:
    beginning, more = ENDLESS[kind]
    before = resident()
    with connect(target) as client:
        client.sendall(beginning)
        send_all_it_takes(client, 400, more)
        answer = read_to_end(client)
    assert b" 200 " not in answer
    assert resident() - before < 12_000_000
    assert httpx.get(f"{target.url}/health/live", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"X-Pad: " + b"a" * 60_000 + b"\r\n", 200),
        (b"X-Pad: " + b"a" * 66_000 + b"\r\n", 431),
        (b"a: b\r\n" * 90, 200),
        (b"a: b\r\n" * 101, 431),
    ],
)
def test_a_head_has_64_kilobytes_and_100_lines(target: Target, head: bytes, status: int) -> None:
    with connect(target) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n")
        assert read_to_end(client).startswith(b"HTTP/1.1 %d " % status)


def test_a_line_behind_a_body_is_none_of_the_head(target: Target) -> None:
    user = target.client(str(uuid4()))
    token = user.headers["Authorization"]
    with connect(target) as client:
        client.sendall(
            b"POST /api/v1/brands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n10\r\n"
        )
        client.sendall(b'{"name": "Other"\r\n1\r\n}\r\n0\r\nAuthorization: ' + token.encode() + b"\r\n\r\n")
        assert read_to_end(client).startswith(b"HTTP/1.1 401 ")


def test_a_connection_does_not_live_on_ends_of_lines(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.server.edge.connections._HEAD_SECONDS", 0.2)
    with connect(target) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        client.settimeout(0.02)
        until = time.monotonic() + PATIENCE
        ended = False
        while not ended and time.monotonic() < until:
            try:
                client.sendall(b"\r\n")
                ended = not client.recv(1000)
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
        assert ended


def test_requests_sent_in_advance_are_not_piled_up(target: Target) -> None:
    user = target.client(str(uuid4()))
    path = f"/api/v1/jobs/{target.logos(user, 1)}/events"
    line = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.headers['Authorization']}\r\n\r\n".encode()
    with connect(target) as client:
        client.sendall(line)
        client.recv(1000)
        send_all_it_takes(client, 100, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert b"200 OK" not in read_to_end(client)[1000:]


# --- bodies ---------------------------------------------------------------------------------------------------------------


def test_a_body_that_nobody_reads_does_not_keep_a_connection(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.server.edge.connections._REST_SECONDS", 0.2)
    with connect(target) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{")
        assert read_to_end(client).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/socket.io/?EIO=4&transport=polling&sid=", "/api/v1/brands?"])
def test_a_body_that_is_too_long_is_refused_before_it_comes(target: Target, path: str) -> None:
    sid = handshake(target)
    with connect(target) as client:
        head = f"POST {path}{sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n"
        client.sendall(f"{head}X-Pad: {'a' * 60_000}\r\n\r\n".encode() + b"4" * 60_000)
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")
        read_to_end(client)


@pytest.mark.parametrize(
    "body",
    [
        b"4" + b"x" * 1_200_000,
        b"9\x1e" * 10,
        b"\xff\xfe",
        b"x" * 20,
        b"",
        b"5",
        b"\x1e" * 999,
        b"1\x1e5\x1e2",
        b"1\x1e40\x1e0",
    ],
)
def test_a_polling_body_that_cannot_be_read_is_answered_and_leaves_nothing(target: Target, body: bytes) -> None:
    sids = [handshake(target) for _ in range(5)]
    with httpx.Client(base_url=target.url, trust_env=False, timeout=PATIENCE) as client:
        for sid in sids:
            answer = client.post(f"{HANDSHAKE}&sid={sid}", content=iter([body]))
            assert answer.status_code in (200, 400, 413), answer.text
    transports = target.app.sockets._transports
    assert not [sid for sid in sids if sid in transports.sockets and transports.sockets[sid].closing]
    kept = [sid for sid in sids if sid in transports._pings]
    assert all(sid in transports.sockets for sid in kept)


def test_a_polling_body_that_drips_is_not_waited_for(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.server.edge.bodies._BODY_SECONDS", 0.2)
    with connect(target) as client:
        head = f"POST {HANDSHAKE}&sid={handshake(target)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4x"
        client.sendall(head.encode())
        answer = read_to_end(client)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"nosniff" in answer


def test_an_answer_to_a_poll_has_what_every_answer_has(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    with httpx.Client(base_url=target.url, trust_env=False) as client, caplog.at_level(logging.INFO, "bmn.access"):
        for path in (HANDSHAKE, "/socket.io/?EIO=3", "/socket.io/?EIO=4&transport=polling&sid=none", "/health/live"):
            answer = client.get(path, headers={"X-Request-Id": "a-caller-s-own"})
            assert answer.headers["X-Request-Id"] == "a-caller-s-own", path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Cache-Control"] == "no-store", path
            assert answer.headers["X-Frame-Options"] == "DENY", path


@pytest.mark.parametrize("coding", ["xchunked", "gzip, chunked", "identity", "chunked\r\nTransfer-Encoding: gzip"])
@pytest.mark.parametrize("path", [HANDSHAKE, "/health/live"])
def test_a_body_whose_end_nobody_knows_is_refused(target: Target, path: str, coding: str) -> None:
    with connect(target) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n".encode())
        assert read_to_end(client).split(b" ")[1] in (b"400", b"501")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_hangs_up_is_no_fault_of_ours(target: Target, method: str) -> None:
    scope = {
        "type": "http",
        "method": method,
        "path": "/socket.io/",
        "query_string": b"EIO=4&transport=polling",
        "headers": [],
        "client": ("203.0.113.9", 1),
    }

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        raise AssertionError(message)

    target.wait(target.app(scope, gone, send))


def nobody_else(target: Target) -> None:
    """Ends what earlier requests left open, so that whoever the gate counts from now on is this test's."""
    for client in target.clients:
        client.close()
    target.clients.clear()
    wait_until(lambda: len(target.app.gate) == 0, what="a gate without connections")


# --- pages of nobody ------------------------------------------------------------------------------------------------------


def test_pages_for_everybody_are_not_written_anew_for_each_of_them(target: Target) -> None:
    """Whatever address is asked for: what differs in it is none of what they say."""
    rendering._written_once.cache_clear()
    with httpx.Client(base_url=target.url, trust_env=False, headers={"Accept": "text/html"}) as anybody:
        for number in range(40):
            for path in (f"/nothing/{number}", f"/g/job/{number}", f"/admin/{number}", f"/s/{number}", "/signin"):
                # By another name of this machine, where nobody is taken for its developer.
                answer = anybody.get(path, headers={"Host": "bmn.example"})
                assert answer.status_code in (401, 404), path
                assert answer.headers["content-type"].startswith("text/html")
    assert rendering._written_once.cache_info().misses < 8


# --- numbers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["most", "most_each"])
def test_there_are_only_so_many_connections(target: Target, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    nobody_else(target)
    gate = target.app.gate
    monkeypatch.setattr("bmn.server.edge.connections._HEAD_SECONDS", PATIENCE)  # they say nothing, and stay
    monkeypatch.setattr(gate, limit, 3)
    held = [connect(target) for _ in range(3)]
    try:
        wait_until(lambda: len(gate) == 3)
        with connect(target) as client:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_to_end(client)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"retry-after" in answer.lower()
    finally:
        for client in held:
            client.close()
    wait_until(lambda: len(gate) == 0)
    assert httpx.get(f"{target.url}/health/live", trust_env=False).status_code == 200


def test_a_websocket_is_counted_until_it_ends(target: Target) -> None:
    nobody_else(target)
    gate = target.app.gate
    with connect(target) as client:
        client.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 101 ")
        assert len(gate) == 1
    wait_until(lambda: len(gate) == 0)


def test_transports_that_join_nothing_are_few(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = target.app.sockets._idle
    monkeypatch.setattr(idle, "_most_each", 5)
    with httpx.Client(base_url=target.url, trust_env=False) as client:
        codes = [client.get(HANDSHAKE).status_code for _ in range(12)]
    assert codes[-1] == 503 and codes[0] in (200, 503)


def test_whoever_has_many_addresses_is_one_caller(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """One IPv6 network has 2^64 addresses: counted singly, it would take every place of those that join nothing."""
    monkeypatch.setattr(target.app.sockets._idle, "_most_each", 5)

    async def handshake_from(address: str) -> int:
        transport = httpx.ASGITransport(target.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=target.url) as client:
            return (await client.get(HANDSHAKE)).status_code

    codes = [target.wait(handshake_from(f"2001:db8:0:1::{number:x}")) for number in range(1, 8)]
    assert codes == [200] * 5 + [503] * 2
    assert target.wait(handshake_from("2001:db8:0:2::1")) == 200
    assert target.wait(handshake_from("203.0.113.7")) == target.wait(handshake_from("::ffff:203.0.113.7")) == 200


def test_who_takes_nothing_of_an_answer_is_cut(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    core, brand = target.app.resources.core, str(uuid4())
    key = f"brands/{brand}/video/{uuid4().hex}.mp4"
    target.wait(core.storage.put(key, b"\0\0\0\x18ftypmp42" + bytes(24_000_000), "video/mp4"))
    address = httpx.URL(target.app.resources.signer.signed(core.storage.url_for(key)))
    nobody_else(target)
    monkeypatch.setattr("bmn.server.edge.gate._STALLED_SECONDS", 0.5)
    monkeypatch.setattr("bmn.server.edge.gate._LOOK_SECONDS", 0.1)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect((address.host, address.port or 80))
        client.sendall(f"GET {address.raw_path.decode()} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        wait_until(lambda: len(target.app.gate) == 0)
        error = struct.unpack("i", client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR, 4))[0]
        assert error  # reset, so that the kernel keeps nothing of it either
