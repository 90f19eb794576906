"""A short film of a product, from its mockup: ordered once, awaited by its id, fetched and stored."""

from bmn.errors import JobFailure
from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.jobs.units import AttemptUnit
from bmn.providers.films import verify_film
from bmn.providers.prices import ModelPrice
from bmn.schemas.generators.videos import KIND, VideoGeneration
from bmn.work.generator import Generator
from bmn.work.inputs import load_picture
from bmn.work.making import Item, Made, Report, make_all
from bmn.work.prompts import video_prompt

UNIT = "video"
_SPARE_SECONDS = 45.0  # of the queue's time limit, for ordering, fetching and storing


def _prompts(payload: VideoGeneration) -> list[str]:
    return [video_prompt(payload)]


def _usd(price: ModelPrice, payload: VideoGeneration) -> float:
    return payload.duration_seconds * price.second


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue,
        payload=KIND.payload,
        job_type=KIND.job_type,
        credits=5,
        handler=__name__,
        vendor="bmn.providers.video",
        process="waiting",
        slots=1,
        timeout=300,
        priority=2,
        attempts=2,
        backoff=10,
        keep=(100, 100),
    ),
    provider="google",
    model="video_model",
    prompts=_prompts,
    usd=_usd,
)


async def run(ctx: Context[VideoGeneration]) -> Result:
    """Makes the film, or goes on waiting for one that was ordered."""
    payload = ctx.payload
    await ctx.progress("composing", 5, f"Preparing the video of {payload.product_name}")
    prompt = video_prompt(payload)
    metadata = {
        "prompt": prompt,
        "product_name": payload.product_name,
        "video_style": payload.video_style,
        "duration": payload.duration_seconds,
    }

    async def make(unit: AttemptUnit, report: Report) -> Made:
        return await _make(ctx, prompt, unit, report)

    await make_all(ctx, [Item(UNIT, payload.product_name, "video", make, metadata)])
    return Result(f"Video of {payload.product_name} generated")


async def _make(ctx: Context[VideoGeneration], prompt: str, unit: AttemptUnit, report: Report) -> Made:
    from bmn.providers.video import Video, VideoTask  # noqa: PLC0415 - a server knows this module too

    payload = ctx.payload
    client = ctx.client(Video)
    if unit.task_id:
        task = VideoTask(unit.task_id, unit.usd)
    else:
        picture = await load_picture(ctx, payload.product_mockup_url, field="productMockupUrl")
        asked = {"prompt": prompt, "seconds": payload.duration_seconds}
        async with unit.paying(asked, provider=client.provider):
            task = await client.submit(prompt, picture, payload.duration_seconds)
        await unit.submitted(task.id, usd=task.cost_usd)
    await report(0.1)

    async def on_progress(fraction: float) -> None:
        await report(0.1 + 0.8 * fraction)

    limit = ctx.queue.timeout * ctx.settings.bmn_timeout_scale
    try:
        result = await client.poll(task, on_progress, deadline=max(limit - _SPARE_SECONDS, 0.6 * limit))
        data = await client.fetch(result)
    except JobFailure as failure:
        if failure.task_gone:
            await unit.forget_task(failure)
        raise
    film = await verify_film(data)
    metadata = {"model": client.model, "width": film.width, "height": film.height, "seconds": film.seconds}
    return Made(data, "video/mp4", client.maker(client.model), task.cost_usd, metadata)
