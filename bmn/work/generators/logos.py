"""Logos by FLUX: N pictures side by side, each ordered once, fetched before its address expires, and stored."""

import zlib

from bmn.errors import JobFailure
from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.jobs.units import Unit
from bmn.providers.bfl import Bfl, ImageRequest, Task
from bmn.providers.images import verify_picture
from bmn.providers.prices import Price
from bmn.schemas.generators.logos import KIND, LogoGeneration
from bmn.work.generator import Generator
from bmn.work.inputs import load_picture
from bmn.work.making import Item, Made, Report, make_all
from bmn.work.prompts import LOGO_VARIATIONS, logo_prompts

_SIDE = 1024


def _usd(price: Price, payload: LogoGeneration) -> float:
    return payload.count * price.pixels(_SIDE, _SIDE, 1 if payload.previous_logo_url else 0)


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue,
        payload=KIND.payload,
        job_type=KIND.job_type,
        credits=1,
        handler=__name__,
        slots=4,
        timeout=120,
        priority=1,
        attempts=3,
        backoff=3,
        keep=(500, 500),
    ),
    provider="bfl",
    model="bfl_model",
    prompts=logo_prompts,
    usd=_usd,
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
    request = ImageRequest(prompt=prompt, seed=_seed(ctx.job.id, index), input_image=previous)
    metadata = {
        "prompt": prompt,
        "logo_style": payload.logo_style,
        "index": index,
        "is_refinement": payload.is_refinement,
        "variation": "Refinement" if payload.is_refinement else LOGO_VARIATIONS[index % len(LOGO_VARIATIONS)],
        "seed": request.seed,
    }
    return Item(
        unit=f"logo-{index}",
        label=f"Logo {index + 1}",
        asset_type="logo",
        make=lambda unit, report: _make(ctx, request, unit, report),
        metadata=metadata,
        index=index,
    )


def _seed(job_id: str, index: int) -> int:
    return zlib.crc32(f"{job_id}/{index}".encode())


async def _make(ctx: Context[LogoGeneration], request: ImageRequest, unit: Unit, report: Report) -> Made:
    bfl = ctx.client(Bfl)
    async with ctx.slot("bfl", ctx.settings.bfl_max_concurrent):
        if unit.task_id and unit.polling_url:
            task = Task(unit.task_id, unit.polling_url, unit.usd)
        else:
            asked = {"prompt": request.prompt, "seed": request.seed, "edit": request.input_image is not None}
            async with unit.paying(asked, provider=bfl.provider):
                task = await bfl.submit(request)
            await unit.submitted(task.id, task.polling_url, usd=task.cost_usd)
        await report(0.2)

        async def on_progress(fraction: float) -> None:
            await report(0.2 + 0.8 * fraction)

        try:
            data = await bfl.collect(task, on_progress)
        except JobFailure as failure:
            if failure.ambiguous:
                await unit.forget_task()
            raise
    picture = await verify_picture(data)
    return Made(picture.data, picture.mime, task.cost_usd, small=picture.small)
