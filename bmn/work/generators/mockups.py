"""A product with the brand's own logo on it, by OpenAI unless BMN_PROVIDERS says otherwise: it is sent as a picture."""

from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.jobs.units import AttemptUnit
from bmn.providers.prices import ModelPrice
from bmn.schemas.generators.mockups import KIND, MockupGeneration
from bmn.work.failover import make_picture
from bmn.work.generator import Generator, Maker
from bmn.work.inputs import load_picture
from bmn.work.makers import PictureOrder
from bmn.work.making import Item, Made, Report, make_all
from bmn.work.prompts import mockup_prompt

UNIT = "mockup"


def _prompts(payload: MockupGeneration) -> list[str]:
    return [mockup_prompt(payload)]


def _usd(price: ModelPrice, _payload: MockupGeneration) -> float:
    return price.picture


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue,
        payload=KIND.payload,
        job_type=KIND.job_type,
        credits=1,
        handler=__name__,
        vendor="bmn.providers.openai_images",
        process="waiting",
        slots=4,
        timeout=120,
        priority=1,
        attempts=3,
        backoff=3,
        keep=(500, 500),
        providers=("openai", "google"),
    ),
    provider="openai",
    model="openai_image_model",
    prompts=_prompts,
    usd=_usd,
    others=(Maker("google", "gemini_image_model", _usd),),
)


async def run(ctx: Context[MockupGeneration]) -> Result:
    """Makes the picture of one product."""
    payload = ctx.payload
    await ctx.progress("composing", 5, f"Preparing the mockup of {payload.product_name}")
    prompt = mockup_prompt(payload)
    metadata = {
        "prompt": prompt,
        "product_id": payload.product_id,
        "product_name": payload.product_name,
        "product_category": payload.product_category,
    }

    async def make(unit: AttemptUnit, report: Report) -> Made:
        pictures = [await load_picture(ctx, payload.logo_url, field="logoUrl")]
        if payload.mockup_template_url:
            pictures.append(await load_picture(ctx, payload.mockup_template_url, field="mockupTemplateUrl"))
        return await make_picture(ctx, unit, PictureOrder(prompt, tuple(pictures)), report)

    await make_all(ctx, [Item(UNIT, payload.product_name, "mockup", make, metadata)])
    return Result(f"Mockup of {payload.product_name} generated")
