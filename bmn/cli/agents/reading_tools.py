"""The tools that change nothing and cost nothing. Each method is one; what a model reads of it is its docstring."""

import asyncio
import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp_types import ImageContent, TextContent
from pydantic import Field

from bmn.cli.agents import answers
from bmn.cli.agents.agent_orders import AnyOrder
from bmn.cli.agents.agent_pictures import LEAST, MOST, shown
from bmn.cli.agents.following import Report, wait_for, wait_for_kit
from bmn.cli.agents.order_pricing import ask
from bmn.cli.agents.purse import Purse
from bmn.cli.lookup.asset_lookup import find_asset
from bmn.cli.lookup.brand_lookup import find_brand
from bmn.cli.lookup.group_lookup import find_kit
from bmn.cli.lookup.job_lookup import find_job
from bmn.client import Client
from bmn.errors import NotFound, UsageProblem
from bmn.schemas import documents
from bmn.schemas.generators import KINDS, AssetType
from bmn.schemas.payloads import JobState

BrandName = Annotated[str, Field(min_length=1, max_length=200, description="A brand's name or id.")]
JobName = Annotated[str, Field(max_length=200, description="A job's id, the first characters of its uuid, or `last`.")]
PictureName = Annotated[str, Field(max_length=200, description="A picture: JOB/2, or its id.")]
Seconds = Annotated[float, Field(ge=0, le=600, description="How long to wait; 0 only looks.")]
Limit = Annotated[int, Field(ge=1, le=100)]

if TYPE_CHECKING:
    KindName = str
else:
    KindName = Literal[tuple(KINDS)]

_USUAL_WAIT = 45.0  # many clients give a call up after a minute


class ReadingTools:
    """What every server of this kind offers. purse: what the tools of a `Writer` may spend."""

    def __init__(self, client: Client, purse: Purse) -> None:
        self.client = client
        self.purse = purse
        self.writes = False

    async def estimate(self, brand: BrandName, order: AnyOrder) -> answers.PriceAnswer:
        """What an order would cost, how long it would take and what models would be asked. Submits nothing."""
        asked = await ask(self.client, brand, order)
        return asked.answer.model_copy(update={"budget_left": self.purse.left})

    async def wait(
        self,
        jobs: Annotated[list[JobName], Field(min_length=1, max_length=20)],
        context: Context[Any, Any],
        seconds: Seconds = _USUAL_WAIT,
    ) -> answers.JobAnswers:
        """Waits until jobs have ended, and tells their state, their pictures and what they cost.

        Jobs take 10 to 300 seconds and go on by themselves: where `allEnded` is false, call it again.
        """
        job_ids = [await find_job(self.client, name) for name in jobs]
        records = await wait_for(self.client, list(dict.fromkeys(job_ids)), seconds, _report(context))
        found = [answers.job_answer(job) for job in records]
        return answers.JobAnswers(jobs=found, all_ended=all(job.ended for job in found))

    async def wait_kit(
        self,
        kit: Annotated[str, Field(max_length=200, description="A kit's id, 4 or more characters of it, or `last`.")],
        context: Context[Any, Any],
        seconds: Seconds = _USUAL_WAIT,
    ) -> documents.Kit:
        """Waits until a whole brand is done or waits for somebody: `picking` wants `pick`, `held` says what is missing."""
        found = await find_kit(self.client, kit)
        return await wait_for_kit(self.client, found.group_id, seconds, _report(context))

    async def look(
        self,
        picture: PictureName,
        size: Annotated[int, Field(ge=LEAST, le=MOST, description="Pixels of the longer side, at most.")] = 512,
    ) -> list[TextContent | ImageContent]:
        """Shows a picture. A film is shown by its first frame."""
        asset = await find_picture(self.client, picture)
        is_film = asset.mime_type.startswith("video/")
        url = asset.thumbnail_url if is_film else asset.url
        data = await self.client.download(url) if url else b""
        seen = await asyncio.to_thread(shown, data, size)
        if seen is None:
            raise NotFound(f"There is nothing to see of {picture} yet.", hint=f"The file itself: {asset.url}")
        what = "first frame of a film" if is_film else f"{seen.width} x {seen.height}"
        text = f"{asset.type} {asset.id} ({what}), made by {asset.job_id}: {asset.url}"
        image = ImageContent(type="image", data=base64.b64encode(seen.data).decode(), mime_type="image/jpeg")
        return [TextContent(type="text", text=text), image]

    async def why(self, job: JobName) -> documents.Why:
        """Why a job is where it is, whether it was charged, and what to do."""
        return await self.client.why(await find_job(self.client, job))

    async def list_jobs(
        self,
        state: JobState | None = None,
        kind: KindName | None = None,
        brand: BrandName | None = None,
        limit: Limit = 20,
        cursor: str | None = None,
    ) -> answers.JobLines:
        """Jobs, newest first."""
        brand_id = (await find_brand(self.client, brand)).id if brand else None
        queues = [KINDS[kind].queue] if kind else [each.queue for each in KINDS.values()]
        page = await self.client.jobs(queue=queues, state=state, brand=brand_id, limit=limit, cursor=cursor)
        return answers.JobLines(jobs=[answers.job_line(job) for job in page.jobs], next_cursor=page.next_cursor)

    async def list_brands(
        self,
        name: Annotated[str | None, Field(description="The whole name, in any case.")] = None,
        limit: Limit = 20,
        cursor: str | None = None,
    ) -> answers.BrandLines:
        """Brands, newest first, each with its look."""
        page = await self.client.brands(name=name, limit=limit, cursor=cursor)
        return answers.BrandLines(
            brands=[answers.brand_line(brand) for brand in page.brands], next_cursor=page.next_cursor
        )

    async def list_pictures(
        self, brand: BrandName, type: AssetType | None = None, limit: Limit = 20, cursor: str | None = None
    ) -> answers.PictureLines:
        """A brand's pictures and films, newest first."""
        found = await find_brand(self.client, brand)
        page = await self.client.assets(found.id, kind=type, limit=limit, cursor=cursor)
        return answers.PictureLines(
            pictures=[answers.picture(asset, asset.id) for asset in page.assets], next_cursor=page.next_cursor
        )

    async def list_products(self) -> answers.ProductLines:
        """The products that a logo can be put on."""
        found = await self.client.products()
        lines = [answers.ProductLine(name=each.slug, title=each.name, category=each.category) for each in found]
        return answers.ProductLines(products=lines)

    async def balance(self) -> answers.Balance:
        """The credits that are left, and what this server may still spend."""
        found = await self.client.credits(limit=1)
        return answers.Balance(
            credits_remaining=found.credits_remaining,
            credits_reserved=found.credits_reserved,
            writes=self.writes,
            spent=str(self.purse.spent),
            budget=str(self.purse.limit) if self.purse.limit else None,
            budget_left=self.purse.left,
        )


async def find_picture(client: Client, name: str) -> documents.Asset:
    """The asset of `JOB/2` or of a whole id. Raises NotFound, and UsageProblem for what is neither."""
    if "/" in name or "#" in name:
        return await find_asset(client, "", name)
    if len(name.strip()) != 36:
        raise UsageProblem(
            f"{name!r} names no picture.", hint="Give JOB/2 as `wait` names it, or an id of `list_pictures`."
        )
    return await client.asset(name.strip().lower())


def _report(context: Context[Any, Any]) -> Report:
    async def report(percent: float, message: str) -> None:
        await context.report_progress(percent, 100, message)

    return report
