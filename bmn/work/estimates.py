"""What a submission would ask for and cost, without submitting it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bmn.providers.prices import Price, load_prices
from bmn.schemas.payloads import Payload
from bmn.settings import Settings
from bmn.work import prompts
from bmn.work.registry import get_queue

# What a wizard step usually takes; its conversation decides, up to AGENT_MAX_USD.
_STEP_TOKENS_IN, _STEP_TOKENS_OUT = 40_000, 4_000
_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Estimate:
    """usd: what the provider would charge with a key. sandboxed: the sandbox answers, so nobody is charged."""

    prompts: list[str]
    credits: int
    usd: float
    sandboxed: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    """provider, and the setting that names its model; the prompts and the price of one payload."""

    provider: str
    model: str
    prompts: Callable[[Any], list[str]]
    usd: Callable[[Price, Any], float]


_KINDS: dict[str, _Kind] = {
    "logo-generation": _Kind(
        "bfl",
        "bfl_model",
        prompts.logo_prompts,
        lambda price, job: job.count * price.pixels(_SIDE, _SIDE, 1 if job.previous_logo_url else 0),
    ),
    "mockup-generation": _Kind(
        "openai", "openai_image_model", lambda job: [prompts.mockup_prompt(job)], lambda price, _: price.picture
    ),
    "bundle-composition": _Kind(
        "google", "gemini_image_model", lambda job: [prompts.bundle_prompt(job)], lambda price, _: price.picture
    ),
    "video-generation": _Kind(
        "google",
        "video_model",
        lambda job: [prompts.video_prompt(job)],
        lambda price, job: job.duration_seconds * price.second,
    ),
    "brand-wizard": _Kind(
        "anthropic",
        "anthropic_model",
        lambda job: [f"Wizard step {job.step}"],
        lambda price, _: price.tokens(text_in=_STEP_TOKENS_IN, text_out=_STEP_TOKENS_OUT),
    ),
}


def estimate(settings: Settings, queue_name: str, payloads: Sequence[Payload]) -> Estimate:
    """For the payloads of one submission to a generator's queue."""
    queue, kind = get_queue(queue_name), _KINDS[queue_name]
    price = load_prices(settings.price_table).of(kind.provider, getattr(settings, kind.model))
    access = settings.provider(kind.provider)
    return Estimate(
        prompts=[prompt for payload in payloads for prompt in kind.prompts(payload)],
        credits=sum(queue.units(payload) for payload in payloads) * queue.price(settings),
        usd=round(sum(kind.usd(price, payload) for payload in payloads), 6),
        sandboxed=access is not None and access.sandboxed,
    )
