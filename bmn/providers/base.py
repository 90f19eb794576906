"""What every vendor's client shares: one record per call, one deadline around it, one way from its errors to ours."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

from bmn.broker.shared_rate import Turns
from bmn.cleaning import identifier
from bmn.errors import BmnError, CancellationRequested, JobFailure
from bmn.logs import get_logger
from bmn.observability import span
from bmn.providers.failures import failure_of_transport, failure_unsent
from bmn.providers.prices import ModelPrice, load_prices
from bmn.providers.wire import watched
from bmn.providers.xmp import SANDBOX, PictureMaker
from bmn.settings import ProviderAccess, Settings

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One call to a vendor, as `provider_calls` keeps it.

    units: pictures, seconds or tokens. usd: what it cost, or may have cost where no answer came. ms: how long it took.
    outcome: `ok`, a Cause's value, or `cancelled`. status: the HTTP status, where there was one.
    """

    provider: str
    operation: str
    model: str
    units: float
    usd: float
    ms: int
    outcome: str
    status: int | None
    request_id: str | None
    sandboxed: bool


OnCall = Callable[[ProviderCall], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class VendorPicture:
    """A picture as a vendor sent it, unverified. mime: what the vendor says it is."""

    data: bytes
    mime: str
    cost_usd: float


@dataclass(slots=True)
class Measured:
    """What a client notes about a call while it runs. usd: set the estimate first, the true cost when it is known."""

    units: float = 0.0
    usd: float = 0.0
    status: int | None = None
    request_id: str | None = None

    def note(self, failure: JobFailure) -> None:
        """Keeps what a failure says of the answer: its status and the vendor's id of the request."""
        self.status = self.status or failure.status
        self.request_id = self.request_id or failure.request_id


class Provider(ABC):
    """Base of the vendors' clients. label: the name that error messages use.

    turns: where a vendor takes so many calls a second, those of all processes together; None: of this one alone.
    """

    provider: ClassVar[str]
    label: ClassVar[str]
    turns: Turns | None = None

    def __init__(self, access: ProviderAccess, settings: Settings, on_call: OnCall) -> None:
        self.access = access
        self.settings = settings
        self._on_call = on_call

    @abstractmethod
    async def close(self) -> None:
        """Closes the connections."""

    def price(self, model: str) -> ModelPrice:
        """What a model costs."""
        return load_prices(self.settings.price_table).of(self.provider, model)

    def maker(self, model: str) -> PictureMaker:
        """Who makes what this client fetches, as its files say it."""
        return SANDBOX if self.access.sandboxed else PictureMaker(self.label, model)

    def failure(self, error: Exception, *, paid: bool) -> JobFailure | None:
        """Our failure for a vendor's exception; None for what no vendor raises, which is a defect of ours."""
        return failure_of_transport(self.label, error, paid=paid)

    @asynccontextmanager
    async def call(
        self, operation: str, *, model: str = "", deadline: float, paid: bool = False
    ) -> AsyncIterator[Measured]:
        """Surrounds one call: ends it after `deadline` seconds, turns its errors into JobFailure, reports it.

        paid: the request buys something, so losing its answer is ambiguous.
        """
        measured, started, outcome, keep_cost = Measured(), time.monotonic(), "bug", False
        with watched() as wire:
            try:
                async with asyncio.timeout(deadline):
                    with span(f"{self.provider} {operation}", model=model):
                        yield measured
                outcome, keep_cost = "ok", True
            except JobFailure as failure:
                outcome, keep_cost = failure.cause.value, failure.ambiguous
                measured.note(failure)
                raise
            except (asyncio.CancelledError, CancellationRequested):
                outcome, keep_cost = "cancelled", paid and wire.sent
                raise
            except Exception as error:
                ours = self.failure(error, paid=paid) if wire.sent else failure_unsent(self.label, error)
                if ours is None:
                    raise
                outcome, keep_cost = ours.cause.value, ours.ambiguous
                measured.note(ours)
                # Without the chain: a vendor's exception quotes its answer, which must not reach a log.
                raise ours from None
            finally:
                ms = round((time.monotonic() - started) * 1000)
                await self._report(operation, model, measured, outcome, ms, keep_cost=keep_cost)

    async def _report(
        self, operation: str, model: str, measured: Measured, outcome: str, ms: int, *, keep_cost: bool
    ) -> None:
        call = ProviderCall(
            provider=self.provider,
            operation=operation,
            model=model,
            units=measured.units if keep_cost else 0.0,
            usd=measured.usd if keep_cost else 0.0,
            ms=ms,
            outcome=outcome,
            status=measured.status,
            request_id=identifier(measured.request_id),
            sandboxed=self.access.sandboxed,
        )
        try:
            await self._on_call(call)
        except BmnError as problem:
            # What was bought must not be lost because it could not be booked; the log keeps the entry.
            log.error("a provider call was not recorded", problem=problem.message, call=call)
