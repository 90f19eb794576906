"""From an order to its price, and from its price to its submission: what both estimate and submit do first."""

from dataclasses import dataclass

from bmn.cli.agents.agent_orders import KitOrder, Order
from bmn.cli.agents.answers import PriceAnswer, StepPrice
from bmn.cli.agents.purse import OrderPrice
from bmn.cli.lookup.brand_lookup import find_brand, find_target, for_target
from bmn.cli.order import Body, BrandTarget
from bmn.client import Client
from bmn.errors import InsufficientCredits
from bmn.schemas import documents
from bmn.schemas.generators import KINDS


@dataclass(frozen=True, slots=True)
class PricedOrder:
    """An order that was looked up and priced.

    reference: the brand as it was named. body: the request but for the id of a brand that is not made yet.
    """

    order: Order
    reference: str
    brand: BrandTarget
    body: Body
    answer: PriceAnswer

    @property
    def price(self) -> OrderPrice:
        """What is compared with a budget."""
        return OrderPrice.of(self.answer.credits, self.answer.usd)

    @property
    def is_kit(self) -> bool:
        """Whether it is a whole brand."""
        return isinstance(self.order, KitOrder)


async def ask(client: Client, reference: str, order: Order) -> PricedOrder:
    """What an order for a brand would come to; nothing is stored. reference: the brand's name or id.

    Raises NotFound for a brand that is not there, where the order could not be priced for a new one.
    """
    brand = await _brand(client, reference, order)
    body = await order.body(client, brand)
    named = {**body, "brandId": brand.id} if brand.id else for_target(body, reference, brand, order.record())
    if isinstance(order, KitOrder):
        answer = _of_kit(await client.kit_price(body | ({"brandId": brand.id} if brand.id else {})))
    else:
        answer = _of_job(await client.estimate(order.kind, named))
    return PricedOrder(order, reference, brand, body, answer.model_copy(update={"brand_is_new": not brand.id}))


def settle_brand(asked: PricedOrder) -> Body:
    """The whole request. A brand that is not there yet is made together with the order. Raises InsufficientCredits."""
    if not asked.brand.id and asked.answer.credits > asked.answer.credits_available:
        raise InsufficientCredits(asked.answer.credits, asked.answer.credits_available)
    if not _makes_brand(asked.order):
        return {**asked.body, "brandId": asked.brand.id}
    return for_target(asked.body, asked.reference, asked.brand, asked.order.record())


async def _brand(client: Client, reference: str, order: Order) -> BrandTarget:
    if _makes_brand(order):
        return await find_target(client, reference)
    found = await find_brand(client, reference)
    return BrandTarget(found.id, found.name)


def _makes_brand(order: Order) -> bool:
    kind = KINDS.get(order.kind)
    return kind is None or (kind.makes_brand and kind.estimate is not None)


def _of_job(found: documents.Estimate) -> PriceAnswer:
    return PriceAnswer(
        credits=found.credits,
        credits_available=found.credits_available,
        usd=found.usd,
        sandboxed=found.sandboxed,
        waiting=found.waiting,
        usual_seconds=found.expected.p50_ms / 1000 if found.expected else None,
        warning=found.warning,
        prompts=found.prompts,
    )


def _of_kit(found: documents.KitPrice) -> PriceAnswer:
    steps = [StepPrice(step=step.step, jobs=step.jobs, credits=step.credits, usd=step.usd) for step in found.steps]
    return PriceAnswer(
        credits=found.credits,
        credits_available=max(0, found.credits_available - found.credits_promised),
        usd=found.usd,
        sandboxed=found.sandboxed,
        warning=found.warning,
        steps=steps,
    )
