"""Several mockups composed into one picture, by Gemini."""

import asyncio

from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.jobs.units import Unit
from bmn.providers.images import verify_picture
from bmn.providers.prices import Price
from bmn.schemas.generators.bundles import KIND, BundleComposition
from bmn.work.generator import Generator
from bmn.work.inputs import load_picture
from bmn.work.making import Item, Made, Report, make_all
from bmn.work.prompts import bundle_prompt

UNIT = "bundle"


def _prompts(payload: BundleComposition) -> list[str]:
    return [bundle_prompt(payload)]


def _usd(price: Price, _payload: BundleComposition) -> float:
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
    ),
    provider="google",
    model="gemini_image_model",
    prompts=_prompts,
    usd=_usd,
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

    async def make(unit: Unit, report: Report) -> Made:
        return await _make(ctx, prompt, unit, report)

    await make_all(ctx, [Item(UNIT, payload.bundle_name, "bundle", make, metadata)])
    return Result(f"Bundle {payload.bundle_name} composed")


async def _make(ctx: Context[BundleComposition], prompt: str, unit: Unit, report: Report) -> Made:
    from bmn.providers.gemini import Gemini  # noqa: PLC0415 - a server knows this module too

    payload = ctx.payload
    client = ctx.client(Gemini)
    urls = payload.product_mockup_urls
    pictures = await asyncio.gather(*(load_picture(ctx, url, field="productMockupUrls") for url in urls))
    await report(0.2)
    async with unit.paying({"prompt": prompt, "pictures": len(pictures)}, provider=client.provider):
        picture = await client.compose(prompt, pictures)
        clean = await verify_picture(picture.data, paid=True)
    return Made(clean.data, clean.mime, picture.cost_usd, {"model": client.model}, clean.small)
