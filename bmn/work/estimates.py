"""What a submission would ask for and cost, without submitting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bmn.providers.prices import load_prices
from bmn.schemas.payloads import Payload
from bmn.settings import Settings
from bmn.work.generator import Generator
from bmn.work.generators import GENERATORS


@dataclass(frozen=True, slots=True)
class Estimate:
    """usd: what the provider would charge with a key. sandboxed: the sandbox answers, so nobody is charged."""

    prompts: list[str]
    credits: int
    usd: float
    sandboxed: bool


def estimate(settings: Settings, queue_name: str, payloads: Sequence[Payload]) -> Estimate:
    """For the payloads of one submission to a generator's queue."""
    generator = GENERATORS[queue_name]
    queue = generator.queue
    price = load_prices(settings.price_table).of(generator.provider, getattr(settings, generator.model))
    return Estimate(
        prompts=[prompt for payload in payloads for prompt in generator.prompts(payload)],
        credits=sum(queue.units(payload) for payload in payloads) * queue.price(settings),
        usd=round(sum(generator.usd(price, payload) for payload in payloads), 6),
        sandboxed=_is_sandboxed(settings, generator),
    )


def retries_cost(settings: Settings, queue_name: str, units: int, sample: dict[str, Any]) -> tuple[float, bool]:
    """What `units` more of a generator's steps cost its provider, and whether the sandbox answers.

    sample: a payload, by which one step is priced; one that no longer fits costs nothing, since it would be refused.
    """
    whole, number, sandboxed = _priced(settings, queue_name, sample) if units else (0.0, 1, False)
    return whole / number * units, sandboxed


def job_cost(settings: Settings, queue_name: str, payload: dict[str, Any]) -> tuple[float, bool]:
    """What all of a job costs its provider, and whether the sandbox answers; nothing of a job that costs none."""
    usd, _, sandboxed = _priced(settings, queue_name, payload)
    return round(usd, 6), sandboxed


def usd_of(settings: Settings, queue_name: str, payload: Payload, units: int) -> float:
    """What a provider is expected to charge for so many units of a payload: nothing of the sandbox."""
    generator = GENERATORS.get(queue_name)
    if generator is None or units <= 0 or _is_sandboxed(settings, generator):
        return 0.0
    price = load_prices(settings.price_table).of(generator.provider, getattr(settings, generator.model))
    whole = max(1, generator.queue.units(payload))
    return round(generator.usd(price, payload) * units / whole, 6)


def _is_sandboxed(settings: Settings, generator: Generator) -> bool:
    access = settings.provider(generator.provider)
    return access is not None and access.sandboxed


def _priced(settings: Settings, queue_name: str, sample: dict[str, Any]) -> tuple[float, int, bool]:
    """What a payload costs, how many steps that is, and whether the sandbox answers."""
    generator = GENERATORS.get(queue_name)
    if generator is None:
        return 0.0, 1, False
    price = load_prices(settings.price_table).of(generator.provider, getattr(settings, generator.model))
    try:
        payload = generator.queue.payload.model_validate(sample)
    except ValidationError:
        return 0.0, 1, False
    return generator.usd(price, payload), max(1, generator.queue.units(payload)), _is_sandboxed(settings, generator)
