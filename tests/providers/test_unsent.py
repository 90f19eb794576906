"""What never reached the wire was not bought, whatever the reason; and how each client gets to its vendor."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bmn.errors import Cause
from bmn.providers.base import OnCall, ProviderCall
from bmn.settings import ProviderAccess, Settings
from tests.kit.sandbox import SandboxControl
from tests.kit.vendors import VENDORS, Vendor, every_vendor
from tests.kit.wire import Wire, answer, failing

DEAD = "http://127.0.0.1:9"
ODD_KEYS = ["abc\n", "abc\r\nx-other: y", "abc\0", "abc–d", "abc\u200b"]


def opened(vendor: Vendor, url: str, settings: Settings, on_call: OnCall, key: str = "key"):  # type: ignore[no-untyped-def]
    return vendor.open(ProviderAccess(url + vendor.path, key, sandboxed=False), settings, on_call)


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """An https address where somebody listens and never says a word."""
    open_ended = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await open_ended.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    open_ended.set()
    server.close()


@every_vendor
@pytest.mark.parametrize("key", ODD_KEYS)
async def test_a_key_that_no_header_takes_buys_nothing(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], wire: Wire, vendor: Vendor, key: str
) -> None:
    wire.answers = [answer(b"{}", 401)]
    client = opened(vendor, wire.url, settings, on_call, key)
    failure = await failing(vendor.ask(client))
    assert (failure.cause, failure.ambiguous) == (Cause.PROVIDER_AUTH, False)
    assert calls[0].usd == 0
    assert all(b"x-other" not in seen for seen in wire.seen)
    await client.close()


@every_vendor
async def test_a_deadline_before_the_line_stands_buys_nothing(
    settings: Settings,
    on_call: OnCall,
    calls: list[ProviderCall],
    silent: str,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
) -> None:
    monkeypatch.setattr(vendor.module, vendor.deadline, 0.3)
    client = opened(vendor, silent, settings, on_call)
    failure = await failing(vendor.ask(client))
    assert (failure.cause, failure.ambiguous) == (Cause.PROVIDER_OVERLOADED, False)
    assert "nothing was sent" in failure.message
    assert calls[0].usd == 0
    await client.close()


@every_vendor
async def test_a_cancel_before_the_line_stands_buys_nothing(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], silent: str, vendor: Vendor
) -> None:
    client = opened(vendor, silent, settings, on_call)
    task = asyncio.ensure_future(vendor.ask(client))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(call.outcome, call.usd) for call in calls] == [("cancelled", 0.0)]
    await client.close()


@every_vendor
async def test_a_cancel_after_the_order_may_have_bought(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], sandbox: SandboxControl, vendor: Vendor
) -> None:
    sandbox.fault(vendor.sandbox, hang=True)
    client = vendor.open(sandbox.access(vendor.path), settings, on_call)
    task = asyncio.ensure_future(vendor.ask(client))
    await asyncio.sleep(1.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(call.outcome, call.usd > 0) for call in calls] == [("cancelled", vendor.paid)]
    await client.close()


@every_vendor
async def test_a_proxy_that_lets_nobody_through_buys_nothing(
    settings: Settings,
    on_call: OnCall,
    proxying: Wire,
    vendor: Vendor,
) -> None:
    client = opened(vendor, "https://vendor.example", settings, on_call)
    failure = await failing(vendor.ask(client))
    assert proxying.seen[0].startswith(b"CONNECT vendor.example:443 ")
    assert (failure.cause, failure.ambiguous) == (Cause.PROVIDER_OVERLOADED, False)
    assert "proxy" in failure.message
    await client.close()


@every_vendor
async def test_a_vendor_is_reached_through_the_proxy(
    settings: Settings,
    on_call: OnCall,
    proxying: Wire,
    vendor: Vendor,
) -> None:
    client = opened(vendor, "http://vendor.example", settings, on_call)
    await failing(vendor.ask(client))
    assert b" http://vendor.example/" in proxying.seen[0]
    await client.close()


@every_vendor
async def test_the_sandbox_is_reached_directly(
    settings: Settings, on_call: OnCall, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, vendor: Vendor
) -> None:
    with monkeypatch.context() as environment:
        environment.delenv("NO_PROXY")
        environment.setenv("HTTP_PROXY", DEAD)
        environment.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
        client = vendor.open(sandbox.access(vendor.path), settings, on_call)
        await vendor.ask(client)
        await client.close()


@every_vendor
async def test_a_proxy_that_we_do_not_speak_is_named(
    settings: Settings, on_call: OnCall, monkeypatch: pytest.MonkeyPatch, vendor: Vendor
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    client = opened(vendor, "https://vendor.example", settings, on_call)
    failure = await failing(vendor.ask(client))
    assert (failure.cause, failure.ambiguous) == (Cause.PROVIDER_AUTH, False)
    assert "ALL_PROXY" in failure.message
    await client.close()


def test_every_vendor_is_tried() -> None:
    assert len(VENDORS) == 7
