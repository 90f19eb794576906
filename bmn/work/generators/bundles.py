"""Several mockups composed into one picture, by Gemini unless BMN_PROVIDERS says otherwise."""

import asyncio

from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.jobs.units import AttemptUnit
from bmn.providers.prices import ModelPrice
from bmn.schemas.generators.bundles import KIND, BundleComposition
from bmn.work.failover import make_picture
from bmn.work.generator import Generator, Maker
from bmn.work.inputs import load_picture
from bmn.work.makers import PictureOrder
from bmn.work.making import Item, Made, Report, make_all
from bmn.work.prompts import bundle_prompt

UNIT = "bundle"


def _prompts(payload: BundleComposition) -> list[str]:
    return [bundle_prompt(payload)]


def _usd(price: ModelPrice, _payload: BundleComposition) -> float:
    return price.picture


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue,
        payload=KIND.payload,
        job_type=KIND.job_type,
        credits=2,
        handler=__name__,
        vendor="bmn.providers.gemini",
        process="waiting",
        slots=2,
        timeout=120,
        priority=2,
        attempts=3,
        backoff=5,
        keep=(200, 200),
        providers=("google", "openai"),
    ),
    provider="google",
    model="gemini_image_model",
    prompts=_prompts,
    usd=_usd,
    others=(Maker("openai", "openai_image_model", _usd),),
)


async def run(ctx: Context[BundleComposition]) -> Result:
    """Composes the picture."""
    payload = ctx.payload
    count = len(payload.product_mockup_urls)
    await ctx.progress("composing", 5, f"Preparing {count} products for {payload.bundle_name}")
    prompt = bundle_prompt(payload)
    metadata = {
        "prompt": prompt,
        "bundle_name": payload.bundle_name,
        "composition_style": payload.composition_style,
        "product_count": count,
    }

    async def make(unit: AttemptUnit, report: Report) -> Made:
        urls = payload.product_mockup_urls
        pictures = await asyncio.gather(*(load_picture(ctx, url, field="productMockupUrls") for url in urls))
        return await make_picture(ctx, unit, PictureOrder(prompt, tuple(pictures)), report)

    await make_all(ctx, [Item(UNIT, payload.bundle_name, "bundle", make, metadata)])
    return Result(f"{payload.bundle_name} composed")
