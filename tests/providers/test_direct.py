"""The client for vendors without an SDK: bounded, and sure of what it has sent."""

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Iterator

import httpx2
import pytest

from bmn.errors import Misconfigured
from bmn.providers.direct import DirectClient
from bmn.providers.failures import UnreadableAnswer
from bmn.providers.wire import watched
from tests.kit.wire import Wire, answer


class Hasty:
    """A server that closes each connection as soon as it has answered once, whatever the client's loop does meanwhile."""

    def __init__(self) -> None:
        self.answered = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                if connection.recv(65_536):
                    connection.sendall(answer(b"{}"))
                    self.answered += 1

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def hasty() -> Iterator[Hasty]:
    made = Hasty()
    yield made
    made.close()


async def test_an_order_is_not_sent_where_the_vendor_has_closed_the_connection(hasty: Hasty) -> None:
    client = DirectClient()
    for number in range(10):
        response = await client.post(hasty.url, json={"order": number})
        assert response.status_code == 200
        time.sleep(0.02)  # noqa: ASYNC251, the loop stands still, as under load, and has not seen the end
    assert hasty.answered == 10
    await client.aclose()


@pytest.mark.parametrize(
    "said",
    [
        answer(b"x" * 1001),
        answer(b"x" * 1001, content_length="1001"),
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"3e8\r\n"
        + b"x" * 1000
        + b"\r\n"
        + b"1\r\nx\r\n0\r\n\r\n",
        answer(b"x", content_encoding="gzip"),
        answer(b"x", content_encoding="br"),
    ],
    ids=["large", "said to be large", "large in parts", "gzip", "brotli"],
)
async def test_a_body_that_is_too_large_or_packed_is_not_read(wire: Wire, said: bytes) -> None:
    client = DirectClient(max_bytes=1000)
    wire.answers = [said]
    with pytest.raises(UnreadableAnswer):
        await client.get(wire.url)
    assert b"accept-encoding: identity" in wire.seen[0].lower()
    await client.aclose()


async def test_a_redirect_is_an_answer_and_a_cookie_is_not_kept(wire: Wire) -> None:
    client = DirectClient()
    wire.answers = [answer(b"{}", 302, location=f"{wire.url}/other", set_cookie="a=b")]
    for _ in range(2):
        assert (await client.get(wire.url)).status_code == 302
    assert len(wire.seen) == 2
    assert all(b"cookie" not in seen.lower() and b"/other" not in seen for seen in wire.seen)
    await client.aclose()


@pytest.mark.parametrize("said", [b"", b"no HTTP at all\r\n\r\n", answer(b"{}", content_length="9")], ids=repr)
async def test_what_breaks_is_asked_for_once(said: bytes) -> None:
    asked = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            if head.startswith(b"GET"):
                asked.append(head)
            elif head == b"\r\n":
                writer.write(answer(b"{}") if len(asked) == 1 else said)
                if len(asked) > 1:
                    break
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    client = DirectClient()
    await client.get(url)
    with watched() as sent, pytest.raises(httpx2.TransportError):
        await client.get(url)
    assert sent.sent and len(asked) == 2
    await client.aclose()
    server.close()


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a–b", "a\x7f"])
async def test_a_header_that_is_none_is_never_sent(wire: Wire, value: str) -> None:
    client = DirectClient()
    with watched() as sent, pytest.raises(httpx2.LocalProtocolError):
        await client.get(wire.url, headers={"x-key": value})
    assert not sent.sent and not wire.seen
    await client.aclose()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "nowhere", "http://", "http://[::1", "http://a b/"])
async def test_what_is_no_address_is_never_asked(url: str) -> None:
    client = DirectClient()
    with watched() as sent, pytest.raises((httpx2.InvalidURL, httpx2.TransportError)):
        await client.get(url)
    assert not sent.sent
    await client.aclose()


async def test_an_address_is_sent_as_it_was_signed(wire: Wire) -> None:
    client = DirectClient()
    wire.answers = [answer(b"{}")]
    await client.get(f"{wire.url}/a%2Fb/%7Ec?sig=a%2Bb%3D%3D&x=%20+&y=%41#part")
    assert wire.seen[0].startswith(b"GET /a%2Fb/%7Ec?sig=a%2Bb%3D%3D&x=%20+&y=%41 HTTP/1.1\r\n")
    await client.aclose()


async def test_the_proxy_gets_its_user_and_password(proxying: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxying.url.replace("://", "://us%40er:p%C3%A4ss@"))
    client = DirectClient()
    told = b"proxy-authorization: basic " + base64.b64encode("us@er:päss".encode()).lower()
    assert (await client.get("http://vendor.example/x")).status_code == 502
    with watched() as sent, pytest.raises(httpx2.ProxyError):
        await client.post("https://vendor.example/x", json={})
    assert not sent.sent
    assert [seen.split(b"\r\n")[0] for seen in proxying.seen] == [
        b"GET http://vendor.example/x HTTP/1.1",
        b"CONNECT vendor.example:443 HTTP/1.1",
    ]
    assert all(told in seen.lower() for seen in proxying.seen)
    await client.aclose()


async def test_no_proxy_is_believed_and_socks_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    wire.answers = [answer(b"{}")]
    client = DirectClient()
    assert (await client.get(wire.url)).status_code == 200  # this machine
    with pytest.raises(Misconfigured):
        await client.get("http://vendor.example/")
    await client.aclose()


async def test_a_large_body_goes_out_whole(wire: Wire) -> None:
    client = DirectClient()
    wire.answers = [answer(b"{}")]
    await client.post(wire.url, json={"picture": "x" * 3_000_000})
    assert wire.seen[0].endswith(b'"}') and wire.seen[0].count(b"x") >= 3_000_000
    await client.aclose()
