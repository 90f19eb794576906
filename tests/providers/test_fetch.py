"""The guarded fetcher: nothing is connected to that must not be."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from bmn.errors import Cause
from bmn.providers.fetch import Fetcher
from bmn.settings import Settings
from tests.kit.pictures import png
from tests.kit.wire import Wire, answer, failing
from tests.providers.samples import certificate


class Recorder(httpx2.AsyncBaseTransport):
    """Stands where the network begins: notes what would be connected to."""

    def __init__(self, answers: Callable[[httpx2.Request], httpx2.Response] | None = None) -> None:
        self.connections: list[tuple[str, str, str]] = []
        self._answers = answers or (lambda _request: httpx2.Response(200, content=b"<p>hello</p>"))

    def __call__(self, _max_bytes: int) -> "Recorder":
        return self

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sni = request.extensions.get("sni_hostname", "")
        self.connections.append((request.url.host, request.headers["host"], sni))
        return self._answers(request)


class Names:
    """A resolver whose answers are scripted; the last one repeats."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


PUBLIC = "93.184.215.14"


def guarded(settings: Settings, names: Names, network: Recorder) -> Fetcher:
    return Fetcher(settings, resolve=names, transport=network)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "data:text/html,x",
        "javascript:alert(1)",
        "//example.com/",
        "example.com",
        "",
        "https://",
        "https://user@example.com/",
        "https://user:pw@example.com/",
        "https://example.com:6379/",
        "https://example.com:22/",
        "https://example.com:80/",
        "https://localhost/",
        "https://localhost./",
        "https://example.com./",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1.:443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://192.88.99.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:93.184.215.14]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[ff02::1]/",
        "https://[2001:db8::1]/",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com\t/",
        "https://example.com/\r\nHost: evil",
        "https://example.com/\x00",
        "https://①②⑦.0.0.1/",
        "https://example.com/" + "x" * 3000,
    ],
)
async def test_what_must_not_be_visited_is_refused_before_any_connection(settings: Settings, url: str) -> None:
    names, network = Names([PUBLIC]), Recorder()
    failure = await failing(guarded(settings, names, network).fetch(url, kind="page"))
    assert failure.cause is Cause.BAD_INPUT
    assert not failure.retryable
    assert network.connections == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:a9fe:a9fe::1"],
        ["fe80::1%eth0"],
        [PUBLIC, "192.168.0.1"],
        [],
        ["not an address"],
    ],
)
async def test_a_name_that_leads_inside_is_not_visited(settings: Settings, addresses: list[str]) -> None:
    network = Recorder()
    fetcher = guarded(settings, Names(addresses), network)
    assert (await failing(fetcher.fetch("https://rebind.example/", kind="page"))).cause is Cause.BAD_INPUT
    assert network.connections == []


async def test_a_name_whose_answer_changes_is_asked_once_and_the_checked_address_is_used(settings: Settings) -> None:
    names, network = Names([PUBLIC], ["127.0.0.1"]), Recorder()
    found = await guarded(settings, names, network).fetch("https://rebind.example:8443/a?b=c", kind="page")
    assert names.asked == ["rebind.example"]
    assert network.connections == [(PUBLIC, "rebind.example:8443", "rebind.example")]
    assert found.url == "https://rebind.example:8443/a?b=c"


async def test_a_name_that_changes_between_two_hops_is_checked_again(settings: Settings) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    network = Recorder(lambda _request: httpx2.Response(302, headers={"location": "/again"}))
    failure = await failing(guarded(settings, names, network).fetch("https://rebind.example/", kind="page"))
    assert failure.cause is Cause.BAD_INPUT
    assert len(network.connections) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "//localhost/",
        "https://x@evil.example/",
        "http://example.com/",
        "https://[::ffff:7f00:1]/",
        "https://exa mple/",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(settings: Settings, location: str) -> None:
    network = Recorder(lambda _request: httpx2.Response(302, headers={"location": location}))
    failure = await failing(guarded(settings, Names([PUBLIC]), network).fetch("https://a.example/", kind="page"))
    assert failure.cause is Cause.BAD_INPUT
    assert len(network.connections) == 1


async def test_three_redirects_are_followed_and_not_a_fourth(settings: Settings) -> None:
    def hops(limit: int) -> Recorder:
        def answers(request: httpx2.Request) -> httpx2.Response:
            number = int(request.url.path[1:] or 0)
            if number == limit:
                return httpx2.Response(200, content=b"there")
            return httpx2.Response(307, headers={"location": f"https://b{number}.example/{number + 1}"})

        return Recorder(answers)

    network = hops(3)
    found = await guarded(settings, Names([PUBLIC]), network).fetch("https://a.example/0", kind="page")
    assert found.url == "https://b2.example/3"
    assert len(network.connections) == 4
    assert (
        "more than 3 times"
        in (
            await failing(guarded(settings, Names([PUBLIC]), hops(4)).fetch("https://a.example/0", kind="page"))
        ).message
    )


async def test_proxies_and_cookies_of_the_environment_are_not_used(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    network = Recorder()
    await guarded(settings, Names([PUBLIC]), network).fetch("https://a.example/", kind="page")
    assert network.connections[0][0] == PUBLIC


# --- over real connections: the sandbox's address is trusted, so the local server may stand there ----------------------


@pytest.fixture
def local(wire: Wire, home: Path) -> Fetcher:
    return Fetcher(Settings(bmn_home=home, bmn_sandbox_url=wire.url), seconds=2.0)


async def test_in_production_the_sandbox_is_nobodys_friend(wire: Wire, home: Path) -> None:
    fetcher = Fetcher(Settings(bmn_home=home, bmn_env="production", bmn_sandbox_url=wire.url))
    assert (await failing(fetcher.fetch(wire.url, kind="page"))).cause is Cause.BAD_INPUT
    assert wire.seen == []


async def test_another_port_of_this_machine_stays_closed(wire: Wire, local: Fetcher) -> None:
    wire.answers = [answer(b"", 302, location="http://127.0.0.1:6379/")]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="page"))).cause is Cause.BAD_INPUT


async def test_the_type_is_that_of_the_bytes(wire: Wire, local: Fetcher) -> None:
    wire.answers = [answer(png(), content_type="text/html")]
    assert (await local.fetch(f"{wire.url}/x", kind="picture")).mime == "image/png"
    wire.answers = [answer(b"<html>not a picture</html>", content_type="image/png")]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="picture"))).cause is Cause.BAD_INPUT
    wire.answers = [answer(b"\0\1\2binary")]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="page"))).cause is Cause.BAD_INPUT


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (404, Cause.BAD_INPUT),
        (403, Cause.BAD_INPUT),
        (204, Cause.BAD_INPUT),
        (429, Cause.DOWNLOAD_FAILED),
        (503, Cause.DOWNLOAD_FAILED),
    ],
)
async def test_an_error_page_is_no_page(wire: Wire, local: Fetcher, status: int, cause: Cause) -> None:
    wire.answers = [answer(b"", status)]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="page"))).cause is cause


async def test_a_body_above_the_cap_is_not_read_to_its_end(wire: Wire, local: Fetcher) -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"100000\r\n" + b" " * 2**20 + b"\r\n"
    wire.answers = [chunked + b"100000\r\n" + b" " * 2**20 + b"\r\n" + b"100000\r\n" + b" " * 2**20 + b"\r\n"]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="page"))).cause is Cause.BAD_INPUT
    wire.answers = [b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="page"))).cause is Cause.BAD_INPUT


async def test_a_packed_body_is_not_unpacked(wire: Wire, local: Fetcher) -> None:
    wire.answers = [answer(gzip.compress(b" " * 2**20), content_encoding="gzip")]
    assert (await failing(local.fetch(f"{wire.url}/x", kind="page"))).cause is Cause.BAD_INPUT
    assert b"accept-encoding: identity" in wire.seen[0].lower()


@pytest.mark.parametrize("fields", [{"content_encoding": "gzip"}, {"content_length": "900000000"}])
async def test_a_message_is_taken_whatever_comes_behind_the_head(
    wire: Wire, settings: Settings, fields: dict[str, str]
) -> None:
    wire.answers = [answer(gzip.compress(b"ok"), **fields)]
    assert (await Fetcher(settings).post(wire.url, b"{}", {}, trusted=(wire.url,))).status == 200


async def test_a_server_that_says_nothing_or_drips_is_left(settings: Settings, home: Path) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fetcher = Fetcher(Settings(bmn_home=home, bmn_sandbox_url=url), seconds=0.2)
    failure = await failing(fetcher.fetch(url, kind="page"))
    assert failure.cause is Cause.DOWNLOAD_FAILED
    assert "too long" in failure.message
    server.close()


# --- over real TLS: the certificate has to be that of the name, at whatever address it is reached ----------------------


@pytest.fixture
async def tls_site(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    path = certificate("pinned.example", tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(path)
    wire = Wire(answers=[answer(b"<p>over tls</p>")])
    server = await asyncio.start_server(wire.handle, "127.0.0.1", 0, ssl=server_side)
    client_side = ssl.create_default_context(cafile=str(path))
    yield server.sockets[0].getsockname()[1], client_side
    server.close()


@pytest.mark.parametrize("name", ["pinned.example", "other.example"])
async def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    settings: Settings, tls_site: tuple[int, ssl.SSLContext], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, context = tls_site
    monkeypatch.setitem(__import__("bmn.internet", fromlist=["_PORTS"])._PORTS, port, port)
    fetcher = Fetcher(
        settings,
        resolve=Names(["127.0.0.1"]),
        allows=lambda _address: True,
        transport=lambda _max_bytes: httpx2.AsyncHTTPTransport(verify=context),
    )
    url = f"https://{name}:{port}/"
    if name == "pinned.example":
        assert (await fetcher.fetch(url, kind="page")).data == b"<p>over tls</p>"
    else:
        assert (await failing(fetcher.fetch(url, kind="page"))).cause is Cause.DOWNLOAD_FAILED
