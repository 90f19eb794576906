"""Several mockups composed into one picture, by Gemini."""

import asyncio

from bmn.jobs.context import Context, Result
from bmn.jobs.units import Unit
from bmn.providers.gemini import Gemini
from bmn.providers.images import verify_picture
from bmn.schemas.payloads import BundleComposition
from bmn.work.generators.shared import Item, Made, Report, make_all
from bmn.work.inputs import load_picture
from bmn.work.prompts import bundle_prompt

UNIT = "bundle"


async def run(ctx: Context[BundleComposition]) -> Result:
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
    payload = ctx.payload
    client = ctx.client(Gemini)
    urls = payload.product_mockup_urls
    pictures = await asyncio.gather(*(load_picture(ctx, url, field="productMockupUrls") for url in urls))
    await report(0.2)
    async with unit.paying({"prompt": prompt, "pictures": len(pictures)}, provider=client.provider):
        picture = await client.compose(prompt, pictures)
        clean = await verify_picture(picture.data, paid=True)
    return Made(clean.data, clean.mime, picture.cost_usd, {"model": client.model})
