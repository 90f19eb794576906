"""A step of the brand wizard: a conversation with tools, which `bmn.work.wizard` holds."""

from bmn.jobs.queue import Queue
from bmn.providers.prices import ModelPrice
from bmn.schemas.generators.wizard import KIND, BrandWizard
from bmn.work.generator import Generator

# What a step usually takes; its conversation decides, up to AGENT_MAX_USD.
_TOKENS_IN, _TOKENS_OUT = 40_000, 4_000


def _prompts(payload: BrandWizard) -> list[str]:
    return [f"Wizard step {payload.step}"]


def _usd(price: ModelPrice, _payload: BrandWizard) -> float:
    return price.tokens(text_in=_TOKENS_IN, text_out=_TOKENS_OUT)


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue,
        payload=KIND.payload,
        job_type=KIND.job_type,
        credits=1,
        handler="bmn.work.wizard.step",
        vendor="bmn.providers.agent",
        process="waiting",
        slots=2,
        timeout=300,
        priority=1,
        attempts=2,
        backoff=5,
        keep=(200, 500),
        collects=False,
        # Somebody sits in front of it: an answer that comes an hour later is of no use to them.
        start_within=600,
        finish_within=1800,
    ),
    provider="anthropic",
    model="anthropic_model",
    prompts=_prompts,
    usd=_usd,
)
