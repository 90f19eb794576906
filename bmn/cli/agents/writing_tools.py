"""The tools that submit, change and stop things. Whatever costs credits has a budget."""

from typing import Annotated
from uuid import uuid4

from pydantic import Field

from bmn.cli.agents import answers
from bmn.cli.agents.agent_orders import AnyOrder, LogosOrder
from bmn.cli.agents.order_pricing import PricedOrder, ask, settle_brand
from bmn.cli.agents.purse import Amount, OrderPrice, Purse
from bmn.cli.agents.reading_tools import BrandName, JobName, PictureName, ReadingTools, find_picture
from bmn.cli.lookup.body_lookup import refinement
from bmn.cli.lookup.group_lookup import find_kit
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.order import Body
from bmn.client import Client
from bmn.errors import BmnError, UsageProblem
from bmn.schemas import documents
from bmn.schemas.generators import KINDS

Budget = Annotated[
    str | int | None,
    Field(description='The most it may cost: "4" for credits, "$0.50" for US dollars. Else it is refused.'),
]
Key = Annotated[
    str | None,
    Field(max_length=200, description="An idempotency key: the same key and order are one submission, for 24 hours."),
]
Reason = Annotated[str | None, Field(max_length=500, description="Why, for the audit log.")]


class WritingTools(ReadingTools):
    """What `--write` adds."""

    def __init__(self, client: Client, purse: Purse) -> None:
        super().__init__(client, purse)
        self.writes = True

    async def submit(
        self, brand: BrandName, order: AnyOrder, budget: Budget = None, key: Key = None
    ) -> answers.OrderAnswer:
        """Orders something for a brand, which is made where its name is new (logos, wizard, kit). It costs credits.

        An estimate above the budget is refused and nothing is submitted. Answers at once; `wait` tells the end.
        """
        most = _amount(budget)
        asked = await ask(self.client, brand, order)
        key = key or uuid4().hex
        before = self.purse.hold(key, asked.price, most)
        try:
            return await self._submit(asked, settle_brand(asked), key)
        except BmnError as error:
            raise self._unsure(error, key, before) from error

    async def refine(
        self,
        picture: PictureName,
        notes: Annotated[str, Field(min_length=1, max_length=1000, description="What to change.")],
        count: Annotated[int, Field(ge=1, le=8)] = 1,
        budget: Budget = None,
        key: Key = None,
    ) -> answers.OrderAnswer:
        """Makes new logos from one: the same, but for what the notes say. It costs credits."""
        most = _amount(budget)
        logo = await find_picture(self.client, picture)
        if logo.type != "logo":
            raise UsageProblem(f"{picture} is a {logo.type}, and only logos are refined.", hint="Order a new one.")
        asked = await ask(self.client, logo.brand_id, LogosOrder(kind="logos", count=count))
        key = key or uuid4().hex
        before = self.purse.hold(key, asked.price, most)
        try:
            body = {**settle_brand(asked), **refinement(logo, notes)}
            return await self._submit(asked, body, key)
        except BmnError as error:
            raise self._unsure(error, key, before) from error

    async def replay(self, job: JobName, budget: Budget = None, reason: Reason = None) -> answers.OrderAnswer:
        """Brings a job back that failed, was cancelled or delivered a part: what is there is kept, the rest made and paid.

        Once for each job; its replay can be replayed.
        """
        most = _amount(budget)
        job_id = await find_job(self.client, job)
        cost = await self.client.bulk_estimate({"action": "retry", "ids": [job_id]})
        key = f"replay of {job_id}"
        before = self.purse.hold(key, OrderPrice.of(cost.credits, cost.usd), most)
        try:
            made = await self.client.retry(job_id, reason=reason)
        except BmnError as error:
            if error.http_status < 500:  # else it may have been accepted, and happens once however often it is asked
                self.purse.release(key, before)
            raise
        return answers.OrderAnswer(
            job_ids=[made.job_id],
            kit=None,
            message=made.message,
            credits=made.credits,
            usd=cost.usd,
            sandboxed=cost.sandboxed,
            warning=None,
            ended=None,
            key=None,
            budget_left=self.purse.left,
        )

    async def cancel(self, job: JobName, reason: Reason = None) -> documents.Cancellation:
        """Stops a job. What is finished or ordered is kept and charged, the rest refunded."""
        return await self.client.cancel(await find_job(self.client, job), reason=reason)

    async def pick(self, kit: Annotated[str, Field(max_length=200)], picture: PictureName) -> documents.Kit:
        """Picks the logo that a kit in state `picking` goes on with."""
        found = await find_kit(self.client, kit)
        return await self.client.pick(found.group_id, (await find_picture(self.client, picture)).id)

    async def select(self, picture: PictureName) -> answers.Picture:
        """Makes a logo its brand's own: mockups carry it from now on."""
        asset = await self.client.select((await find_picture(self.client, picture)).id)
        return answers.picture(asset, asset.id)

    async def _submit(self, asked: PricedOrder, body: Body, key: str) -> answers.OrderAnswer:
        kit: str | None = None
        warning, ended = None, None
        if asked.is_kit:
            begun = await self.client.start_kit(body, idempotency_key=key)
            kit, message = begun.group_id, begun.message
            job_ids = [job.job_id for step in begun.steps for job in step.jobs]
        elif KINDS[asked.order.kind].many:
            many = await self.client.generate_mockups(body, idempotency_key=key)
            job_ids, message = [job.job_id for job in many.jobs], many.message
            warning, ended = many.warning, many.ended
        else:
            one = await self.client.generate(asked.order.kind, body, idempotency_key=key)
            job_ids, message = [one.job_id], one.message
            warning, ended = one.warning, one.ended
        return answers.OrderAnswer(
            job_ids=job_ids,
            kit=kit,
            message=message,
            credits=asked.answer.credits,
            usd=asked.answer.usd,
            sandboxed=asked.answer.sandboxed,
            warning=warning,
            ended=ended,
            key=key,
            budget_left=self.purse.left,
        )

    def _unsure(self, error: BmnError, key: str, before: OrderPrice | None) -> BmnError:
        """The error, with what to do where the submission may have been accepted all the same."""
        if error.http_status < 500:
            self.purse.release(key, before)
            return error
        advice = f"It may have been accepted: send it again with the key {key!r}, which orders nothing twice."
        error.hint = f"{error.hint} {advice}" if error.hint else advice
        return error


def _amount(budget: str | int | None) -> Amount | None:
    """Raises UsageProblem."""
    if budget is None:
        return None
    try:
        return Amount.read(budget)
    except ValueError as problem:
        raise UsageProblem(f"The budget cannot be used: {problem}.") from None
