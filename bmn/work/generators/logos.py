"""Logos, by FLUX unless BMN_PROVIDERS says otherwise: N pictures side by side, each ordered once, fetched and stored."""

import zlib

from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.providers.prices import ModelPrice
from bmn.schemas.generators.logos import KIND, LogoGeneration
from bmn.work.failover import make_picture
from bmn.work.generator import Generator, Maker
from bmn.work.inputs import load_picture
from bmn.work.makers import PictureOrder
from bmn.work.making import Item, make_all
from bmn.work.prompts import LOGO_VARIATIONS, logo_prompts

_SIDE = 1024


def _usd(price: ModelPrice, payload: LogoGeneration) -> float:
    return payload.count * price.pixels(_SIDE, _SIDE, 1 if payload.previous_logo_url else 0)


def _usd_by_picture(price: ModelPrice, payload: LogoGeneration) -> float:
    return payload.count * price.picture


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue,
        payload=KIND.payload,
        job_type=KIND.job_type,
        credits=1,
        handler=__name__,
        vendor="bmn.providers.direct",
        slots=4,
        timeout=120,
        priority=1,
        attempts=3,
        backoff=3,
        keep=(500, 500),
        providers=("bfl", "openai", "google"),
    ),
    provider="bfl",
    model="bfl_model",
    prompts=logo_prompts,
    usd=_usd,
    others=(
        Maker("openai", "openai_image_model", _usd_by_picture),
        Maker("google", "gemini_image_model", _usd_by_picture),
    ),
)


async def run(ctx: Context[LogoGeneration]) -> Result:
    """Makes the logos that no earlier attempt has made; a part of them is a result too."""
    payload = ctx.payload
    await ctx.progress("composing", 5, "Composing logo prompts")
    previous = None
    if payload.is_refinement and payload.previous_logo_url:
        previous = await load_picture(ctx, payload.previous_logo_url, field="previousLogoUrl")
    items = [_item(ctx, index, prompt, previous) for index, prompt in enumerate(logo_prompts(payload))]
    await ctx.progress("composing", 10, f"Prompts ready, generating {payload.count} logos")
    made = await make_all(ctx, items)
    if made == payload.count:
        return Result(f"{made} {'logo' if made == 1 else 'logos'} generated")
    refused = payload.count - made
    return Result(f"{made} of {payload.count} logos generated; {refused} declined and refunded", partial=True)


def _item(ctx: Context[LogoGeneration], index: int, prompt: str, previous: bytes | None) -> Item:
    payload = ctx.payload
    order = PictureOrder(prompt, (previous,) if previous else (), _seed(ctx.job.id, index))
    metadata = {
        "prompt": prompt,
        "logo_style": payload.logo_style,
        "index": index,
        "is_refinement": payload.is_refinement,
        "variation": "Refinement" if payload.is_refinement else LOGO_VARIATIONS[index % len(LOGO_VARIATIONS)],
    }
    return Item(
        unit=f"logo-{index}",
        label=f"Logo {index + 1}",
        asset_type="logo",
        make=lambda unit, report: make_picture(ctx, unit, order, report),
        metadata=metadata,
        index=index,
    )


def _seed(job_id: str, index: int) -> int:
    return zlib.crc32(f"{job_id}/{index}".encode())
