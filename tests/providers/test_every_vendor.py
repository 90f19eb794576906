"""What every vendor's client makes of a wire that is out of order: rows 38, 39 and 44 of the fault matrix."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from bmn.errors import Cause
from bmn.providers.base import OnCall, ProviderCall
from bmn.settings import ProviderAccess, Settings
from tests.kit.sandbox import SandboxControl
from tests.kit.vendors import Vendor, every_vendor
from tests.kit.wire import Wire, failing
from tests.providers.samples import certificate


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[str, Wire]]:
    """A site whose certificate nobody has signed; and what it was sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate("localhost", tmp_path))
    wire = Wire(answers=[b""])
    server = await asyncio.start_server(wire.handle, "127.0.0.1", 0, ssl=context)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", wire
    server.close()


@every_vendor
@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://nowhere.invalid"], ids=["refused", "no such name"])
async def test_a_vendor_that_cannot_be_reached_was_sent_nothing(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], vendor: Vendor, address: str
) -> None:
    client = vendor.open(ProviderAccess(address + vendor.path, "key", sandboxed=False), settings, on_call)
    failure = await failing(vendor.ask(client))
    assert (failure.cause, failure.ambiguous, failure.retryable) == (Cause.PROVIDER_OVERLOADED, False, True)
    assert [(call.outcome, call.usd) for call in calls] == [("provider_overloaded", 0.0)]
    await client.close()


@every_vendor
async def test_a_vendor_whose_certificate_is_not_good_is_sent_nothing(
    settings: Settings, on_call: OnCall, site: tuple[str, Wire], vendor: Vendor
) -> None:
    address, wire = site
    client = vendor.open(ProviderAccess(address + vendor.path, "key", sandboxed=False), settings, on_call)
    failure = await failing(vendor.ask(client))
    assert (failure.cause, failure.ambiguous, wire.seen) == (Cause.PROVIDER_OVERLOADED, False, [])
    await client.close()


@every_vendor
@pytest.mark.parametrize("said", ["seconds", "date", "huge"])
async def test_a_wait_that_a_vendor_asks_for_is_kept_up_to_two_minutes(
    settings: Settings, on_call: OnCall, sandbox: SandboxControl, vendor: Vendor, said: str
) -> None:
    ways = {"seconds": "7", "date": formatdate(time.time() + 30, usegmt=True), "huge": "86400"}
    sandbox.fault(vendor.sandbox, status=429, retryAfter=ways[said], body={})
    client = vendor.open(sandbox.access(vendor.path), settings, on_call)
    failure = await failing(vendor.ask(client))
    assert failure.cause is Cause.PROVIDER_RATE_LIMITED and failure.retry_after is not None
    least, most = {"seconds": (7, 7), "date": (20, 30), "huge": (120, 120)}[said]
    assert least <= failure.retry_after <= most
    await client.close()


@every_vendor
@pytest.mark.parametrize("fault", [{"garbage": "drip"}, {"hang": True}], ids=["drip", "silence"])
async def test_an_answer_that_never_ends_is_given_up_at_the_deadline(
    settings: Settings,
    on_call: OnCall,
    calls: list[ProviderCall],
    sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    fault: dict[str, Any],
) -> None:
    monkeypatch.setattr(vendor.module, vendor.deadline, 0.5)
    sandbox.fault(vendor.sandbox, **fault)
    client = vendor.open(sandbox.access(vendor.path), settings, on_call)
    failure = await failing(vendor.ask(client))
    assert (failure.cause, failure.ambiguous, failure.retryable) == (Cause.PROVIDER_TIMEOUT, vendor.paid, True)
    assert (calls[0].usd > 0) is vendor.paid  # it may have been billed
    await client.close()


@every_vendor
async def test_a_wrong_content_type_is_an_answer_or_garbage(
    settings: Settings, on_call: OnCall, calls: list[ProviderCall], sandbox: SandboxControl, vendor: Vendor
) -> None:
    sandbox.fault(vendor.sandbox, garbage="contenttype", times=1)
    client = vendor.open(sandbox.access(vendor.path), settings, on_call)
    await asyncio.gather(vendor.ask(client), return_exceptions=True)
    assert calls[0].outcome in ("ok", "provider_garbage")
    await client.close()
