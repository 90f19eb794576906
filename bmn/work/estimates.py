"""What a submission would ask for and cost, without submitting it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from bmn.providers.prices import ModelPrice, load_prices
from bmn.schemas.payloads import Payload
from bmn.settings import Settings
from bmn.work.generator import Generator, Maker
from bmn.work.generators import GENERATORS


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """usd: what the provider would charge with a key. sandboxed: the sandbox answers, so nobody is charged."""

    prompts: list[str]
    credits: int
    usd: float
    sandboxed: bool


def estimate(
    settings: Settings, queue_name: str, payloads: Sequence[Payload], provider: str | None = None
) -> CostEstimate:
    """For the payloads of one submission to a generator's queue. provider: who serves the queue now, where that is known."""
    generator = GENERATORS[queue_name]
    queue, maker = generator.queue, _maker(settings, generator, provider)
    price = _price(settings, maker)
    return CostEstimate(
        prompts=[prompt for payload in payloads for prompt in generator.prompts(payload)],
        credits=sum(queue.units(payload) for payload in payloads) * queue.price(settings),
        usd=round(sum(maker.usd(price, payload) for payload in payloads), 6),
        sandboxed=_is_sandboxed(settings, maker),
    )


def retries_cost(
    settings: Settings, queue_name: str, units: int, sample: Mapping[str, object], provider: str | None
) -> tuple[float, bool]:
    """What `units` more of a generator's steps cost its provider, and whether the sandbox answers.

    sample: a payload, by which one step is priced; one that no longer fits costs nothing, since it would be refused.
    provider: as in `estimate`.
    """
    whole, number, sandboxed = _priced(settings, queue_name, sample, provider) if units else (0.0, 1, False)
    return whole / number * units, sandboxed


def job_cost(
    settings: Settings, queue_name: str, payload: Mapping[str, object], provider: str | None
) -> tuple[float, bool]:
    """What all of a job costs its provider, and whether the sandbox answers; nothing of a job that costs none."""
    usd, _, sandboxed = _priced(settings, queue_name, payload, provider)
    return round(usd, 6), sandboxed


def usd_of(settings: Settings, queue_name: str, payload: Payload, units: int, provider: str | None) -> float:
    """What a provider is expected to charge for so many units of a payload: nothing of the sandbox.

    provider: as in `estimate`.
    """
    generator = GENERATORS.get(queue_name)
    if generator is None or units <= 0:
        return 0.0
    maker = _maker(settings, generator, provider)
    if _is_sandboxed(settings, maker):
        return 0.0
    whole = max(1, generator.queue.units(payload))
    return round(maker.usd(_price(settings, maker), payload) * units / whole, 6)


def _maker(settings: Settings, generator: Generator, provider: str | None) -> Maker:
    """Who is expected to make it: the first of the queue's order, unless somebody else is known to serve it now."""
    return generator.maker(provider or next(iter(generator.queue.order(settings)), None))


def _price(settings: Settings, maker: Maker) -> ModelPrice:
    return load_prices(settings.price_table).of(maker.provider, getattr(settings, maker.model))


def _is_sandboxed(settings: Settings, maker: Maker) -> bool:
    access = settings.provider(maker.provider)
    return access is not None and access.sandboxed


def _priced(
    settings: Settings, queue_name: str, sample: Mapping[str, object], provider: str | None
) -> tuple[float, int, bool]:
    """What a payload costs, how many steps that is, and whether the sandbox answers."""
    generator = GENERATORS.get(queue_name)
    if generator is None:
        return 0.0, 1, False
    maker = _maker(settings, generator, provider)
    try:
        payload = generator.queue.payload.model_validate(sample)
    except ValidationError:
        return 0.0, 1, False
    usd = maker.usd(_price(settings, maker), payload)
    return usd, max(1, generator.queue.units(payload)), _is_sandboxed(settings, maker)
