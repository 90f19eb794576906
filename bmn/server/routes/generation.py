"""The generators: each POST checks, stores and answers 202; the work is done elsewhere."""

from fastapi import APIRouter, Request

from bmn.format import count
from bmn.identity.tokens import Principal
from bmn.jobs.submission import Submission
from bmn.schemas import documents, requests
from bmn.server.actions import generate
from bmn.server.dependencies import GenerationCaller, IdempotencyKey, request_id
from bmn.server.refusals import ANY_CALLER, refusals
from bmn.server.resources import Resources
from bmn.server.submissions import GeneratorBody

router = APIRouter(prefix="/api/v1/generation", tags=["generation"])

_REFUSALS = ANY_CALLER | refusals(402, 404, 409, 413)


@router.post("/logos", status_code=202, responses=_REFUSALS)
async def logos(
    body: requests.LogosBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted:
    """Makes one to eight logos, or changes one that is there; what is left out comes from the brand's record."""
    message = f"Logo generation started. Generating {count(body.count, 'logo')}."
    return await _one(request, principal, "logo-generation", body, key, message)


@router.post("/mockups", status_code=202, responses=_REFUSALS)
async def mockups(
    body: requests.MockupsBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.MockupsSubmitted:
    """One job a product; all of them or none."""
    submitted = await _submit(request, principal, "mockup-generation", body, key)
    jobs = [
        documents.MockupJob(product_id=product.product_id, job_id=job.job_id, queue_name=job.queue)
        for product, job in zip(body.products, submitted, strict=True)
    ]
    number = len(body.products)
    message = f"Started mockup generation for {count(number, 'product')}."
    return documents.MockupsSubmitted(jobs=jobs, message=message, warning=submitted[0].warning)


@router.post("/bundles", status_code=202, responses=_REFUSALS)
async def bundles(
    body: requests.BundlesBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted:
    """Arranges two to ten mockups in one picture."""
    message = f"Bundle composition started with {len(body.product_mockup_urls)} products."
    return await _one(request, principal, "bundle-composition", body, key, message)


@router.post("/videos", status_code=202, responses=_REFUSALS)
async def videos(
    body: requests.VideosBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted:
    """Makes a product video of three to ten seconds."""
    message = f"Video generation started. Making {body.duration_seconds} seconds."
    return await _one(request, principal, "video-generation", body, key, message)


@router.post("/wizard", status_code=202, responses=_REFUSALS)
async def wizard(
    body: requests.WizardBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted:
    """Runs one step of the brand wizard; `sessionId` goes on with an earlier conversation."""
    message = f"Wizard step {body.step} started."
    return await _one(request, principal, "brand-wizard", body, key, message)


async def _one(
    request: Request, principal: Principal, queue: str, body: GeneratorBody, key: str | None, message: str
) -> documents.Submitted:
    (job,) = await _submit(request, principal, queue, body, key)
    return documents.Submitted(
        job_id=job.job_id,
        generation_job_id=job.generation_job_id,
        queue_name=job.queue,
        message=message,
        warning=job.warning,
    )


async def _submit(
    request: Request, principal: Principal, queue: str, body: GeneratorBody, key: str | None
) -> list[Submission]:
    res: Resources = request.app.state.resources  # not asked for as a dependency: each one costs every request time
    return await generate(res, principal, queue, body, key=key, request_id=request_id(request))
