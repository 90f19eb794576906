"""How each provider makes one picture of an order: asked, paid, fetched, verified."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from bmn.errors import JobFailure
from bmn.jobs.context import Context
from bmn.jobs.units import AttemptUnit
from bmn.providers.bfl import Bfl, ImageRequest, Task
from bmn.providers.images import verify_picture
from bmn.schemas.payloads import Payload
from bmn.work.making import Made, Report


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """pictures: what it starts from; with none it is made from words alone. seed: for providers that take one."""

    prompt: str
    pictures: tuple[bytes, ...] = ()
    seed: int | None = None

    @property
    def asked(self) -> dict[str, object]:
        """What tells it from another one, for the record's hash."""
        return {"prompt": self.prompt, "seed": self.seed, "pictures": len(self.pictures)}


Make = Callable[[Context[Payload], AttemptUnit, PictureOrder, Report], Awaitable[Made]]


async def by_flux(ctx: Context[Payload], unit: AttemptUnit, order: PictureOrder, report: Report) -> Made:
    """By Black Forest Labs: ordered once, then waited for, in this attempt or in a later one."""
    bfl = ctx.client(Bfl)
    async with ctx.slot("bfl", ctx.settings.bfl_max_concurrent):
        if unit.task_id and unit.polling_url:
            task = Task(unit.task_id, unit.polling_url, unit.usd)
        else:
            given = order.pictures[0] if order.pictures else None
            request = ImageRequest(prompt=order.prompt, seed=order.seed or 0, input_image=given)
            async with unit.paying(order.asked, provider=bfl.provider):
                task = await bfl.submit(request)
            await unit.submitted(task.id, task.polling_url, usd=task.cost_usd)
        await report(0.2)

        async def on_progress(fraction: float) -> None:
            await report(0.2 + 0.8 * fraction)

        try:
            data = await bfl.collect(task, on_progress)
        except JobFailure as failure:
            if failure.ambiguous:
                await unit.forget_task(failure)
            raise
    picture = await verify_picture(data)
    metadata = {"provider": bfl.provider, "model": bfl.model, "seed": order.seed}
    return Made(picture.data, picture.mime, bfl.maker(bfl.model), task.cost_usd, metadata, picture.small)


async def by_openai(ctx: Context[Payload], unit: AttemptUnit, order: PictureOrder, report: Report) -> Made:
    """By OpenAI Images, with rough pictures on the way."""
    await _load("bmn.providers.openai_images")
    from bmn.providers.openai_images import PARTIALS, OpenAIImages  # noqa: PLC0415 - a server knows this module too

    client = ctx.client(OpenAIImages)
    await report(0.15)

    async def on_partial(number: int, rough: bytes) -> None:
        await report(0.15 + 0.85 * (number + 1) / (PARTIALS + 1), rough)

    async with unit.paying(order.asked, provider=client.provider):
        if order.pictures:
            picture = await client.edit(order.prompt, order.pictures, on_partial=on_partial)
        else:
            picture = await client.generate(order.prompt, on_partial=on_partial)
        clean = await verify_picture(picture.data, paid=True)
    metadata = {"provider": client.provider, "model": client.model}
    return Made(clean.data, clean.mime, client.maker(client.model), picture.cost_usd, metadata, clean.small)


async def by_gemini(ctx: Context[Payload], unit: AttemptUnit, order: PictureOrder, report: Report) -> Made:
    """By Google Gemini, which says nothing on the way."""
    await _load("bmn.providers.gemini")
    from bmn.providers.gemini import Gemini  # noqa: PLC0415 - a server knows this module too

    client = ctx.client(Gemini)
    await report(0.2)
    async with unit.paying(order.asked, provider=client.provider):
        picture = await client.compose(order.prompt, order.pictures)
        clean = await verify_picture(picture.data, paid=True)
    metadata = {"provider": client.provider, "model": client.model}
    return Made(clean.data, clean.mime, client.maker(client.model), picture.cost_usd, metadata, clean.small)


async def _load(module: str) -> None:
    """In a thread, as a vendor's SDK takes up to a second to import, and other jobs have to go on meanwhile."""
    await asyncio.to_thread(import_module, module)


MAKERS: Mapping[str, Make] = MappingProxyType({"bfl": by_flux, "openai": by_openai, "google": by_gemini})
"""By the provider's name in the settings."""
