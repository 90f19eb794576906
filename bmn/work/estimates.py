"""What a submission would ask for and cost, without submitting it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bmn.providers.prices import load_prices
from bmn.schemas.payloads import Payload
from bmn.settings import Settings
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
    access = settings.provider(generator.provider)
    return Estimate(
        prompts=[prompt for payload in payloads for prompt in generator.prompts(payload)],
        credits=sum(queue.units(payload) for payload in payloads) * queue.price(settings),
        usd=round(sum(generator.usd(price, payload) for payload in payloads), 6),
        sandboxed=access is not None and access.sandboxed,
    )
