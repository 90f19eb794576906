"""One record a call, whatever becomes of it."""

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from bmn.errors import CancellationRequested, Cause, JobFailure, Misconfigured, TryLater
from bmn.providers.base import OnCall, Provider, ProviderCall
from bmn.providers.prices import ModelPrice, load_prices
from bmn.providers.vendor_http import open_client
from bmn.settings import ProviderAccess, Settings
from tests.kit.wire import Wire, answer


class AnyVendor(Provider):
    provider: ClassVar[str] = "bfl"
    label: ClassVar[str] = "Vendor"

    async def order(self) -> None:
        """A request that reaches the vendor."""
        async with open_client() as client:
            await client.post(self.access.base_url)

    async def close(self) -> None: ...


@pytest.fixture
def vendor(settings: Settings, on_call: OnCall, wire: Wire) -> AnyVendor:
    wire.answers = [answer(b"{}")]
    return AnyVendor(ProviderAccess(wire.url, "key", sandboxed=False), settings, on_call)


async def test_a_call_that_takes_too_long_is_ended_and_booked(vendor: AnyVendor, calls: list[ProviderCall]) -> None:
    with pytest.raises(JobFailure) as caught:
        async with vendor.call("draw", model="m", deadline=1, paid=True) as measured:
            measured.usd = 0.5
            await vendor.order()
            await asyncio.sleep(60)
    assert (caught.value.cause, caught.value.ambiguous) == (Cause.PROVIDER_TIMEOUT, True)
    assert (calls[0].outcome, calls[0].usd, calls[0].model) == ("provider_timeout", 0.5, "m")
    assert calls[0].ms >= 900


@pytest.mark.parametrize("error", [asyncio.CancelledError, CancellationRequested])
async def test_a_cancelled_call_is_booked_as_it_may_have_cost(
    vendor: AnyVendor, calls: list[ProviderCall], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        async with vendor.call("draw", deadline=10, paid=True) as measured:
            measured.usd = 0.5
            await vendor.order()
            raise error
    assert (calls[0].outcome, calls[0].usd) == ("cancelled", 0.5)


async def test_a_defect_of_ours_passes_as_it_is(vendor: AnyVendor, calls: list[ProviderCall]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with vendor.call("draw", deadline=1):
            _ = 1 / 0
    assert calls[0].outcome == "bug"


async def test_a_picture_is_not_lost_because_it_could_not_be_booked(settings: Settings) -> None:
    async def no_books(_call: ProviderCall) -> None:
        raise TryLater("The database is away.")

    vendor = AnyVendor(ProviderAccess("http://127.0.0.1:1", "key", sandboxed=False), settings, no_books)
    async with vendor.call("draw", deadline=1):
        picture = b"paid for"
    assert picture == b"paid for"


async def test_nothing_of_the_vendors_answer_stays_with_the_failure(vendor: AnyVendor) -> None:
    with pytest.raises(JobFailure) as caught:
        async with vendor.call("draw", deadline=1):
            raise TimeoutError("secret words of the vendor")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


def test_the_longest_pattern_prices_a_model() -> None:
    prices = load_prices(None)
    assert prices.of("openai", "gpt-image-1.5-2025-12-16").image_out == 32
    assert prices.of("openai", "gpt-image-9").image_out == 30
    assert prices.of("google", "gemini-omni-1.2-flash").second == 0.10
    assert prices.of("bfl", "flux-2-pro").pixels(1024, 1024) == 0.03
    assert prices.of("bfl", "flux-2-pro").pixels(2048, 1024, 1) == pytest.approx(0.06)
    assert prices.of("nobody", "x") == ModelPrice()


def test_a_file_overrides_single_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"openai": {"gpt-image-2*": {"image_out": 99}}, "new": {"*": {"call": 1}}}')
    prices = load_prices(path)
    assert prices.of("openai", "gpt-image-2.6-sunburst").image_out == 99
    assert prices.of("openai", "gpt-image-2.6-sunburst").text_in == 5
    assert prices.of("new", "x").call == 1


@pytest.mark.parametrize(
    "content", ["", "[]", '{"openai": 1}', '{"openai": {"m": {"imag_out": 1}}}', '{"openai": {"m": {"call": "x"}}}']
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(content)
    with pytest.raises(Misconfigured, match=r"prices\.json"):
        load_prices(path)
