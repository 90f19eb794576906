"""The generators: each POST checks, stores and answers 202; the work is done elsewhere."""

from typing import Any

from fastapi import APIRouter, Request, Response

from bmn.errors import TryLater
from bmn.format import count
from bmn.identity.tokens import Principal
from bmn.jobs.submission import Submission
from bmn.schemas import documents, requests
from bmn.server.actions import generate
from bmn.server.dependencies import GenerationCaller, IdempotencyKey, owner_filter, request_id
from bmn.server.job_record import job_record
from bmn.server.refusals import ANY_CALLER, refusals
from bmn.server.resources import Resources
from bmn.server.submissions import GeneratorBody
from bmn.server.waiting import followed, preferred_wait, wait_for_end

router = APIRouter(prefix="/api/v1/generation", tags=["generation"])

_REFUSALS = ANY_CALLER | refusals(402, 404, 409, 413)
_ANSWERS = _REFUSALS | {
    200: {"model": documents.JobRecord, "description": "`Prefer: wait` was given, and it has ended"}
}
# Read from the request itself: each declared header costs every request time.
_PREFER: dict[str, Any] = {
    "parameters": [
        {
            "name": "Prefer",
            "in": "header",
            "schema": {"type": "string"},
            "description": "`wait=60`: hold the answer until the job has ended, for this many seconds (60 at most).",
        }
    ]
}


@router.post("/logos", status_code=202, response_model=documents.Submitted, responses=_ANSWERS, openapi_extra=_PREFER)
async def logos(
    body: requests.LogosBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted | Response:
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


@router.post("/bundles", status_code=202, response_model=documents.Submitted, responses=_ANSWERS, openapi_extra=_PREFER)
async def bundles(
    body: requests.BundlesBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted | Response:
    """Arranges two to ten mockups in one picture."""
    message = f"Bundle composition started with {len(body.product_mockup_urls)} products."
    return await _one(request, principal, "bundle-composition", body, key, message)


@router.post("/videos", status_code=202, response_model=documents.Submitted, responses=_ANSWERS, openapi_extra=_PREFER)
async def videos(
    body: requests.VideosBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted | Response:
    """Makes a product video of three to ten seconds."""
    message = f"Video generation started. Making {body.duration_seconds} seconds."
    return await _one(request, principal, "video-generation", body, key, message)


@router.post("/wizard", status_code=202, response_model=documents.Submitted, responses=_ANSWERS, openapi_extra=_PREFER)
async def wizard(
    body: requests.WizardBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> documents.Submitted | Response:
    """Runs one step of the brand wizard; `sessionId` goes on with an earlier conversation."""
    message = f"Wizard step {body.step} started."
    return await _one(request, principal, "brand-wizard", body, key, message)


async def _one(
    request: Request, principal: Principal, queue: str, body: GeneratorBody, key: str | None, message: str
) -> documents.Submitted | Response:
    (job,) = await _submit(request, principal, queue, body, key)
    seconds = preferred_wait(request.headers.get("prefer"))
    if seconds is not None and (ended := await _finished(request, principal, job.job_id, seconds)) is not None:
        return ended
    return documents.Submitted(
        job_id=job.job_id,
        generation_job_id=job.generation_job_id,
        queue_name=job.queue,
        message=message,
        warning=job.warning,
    )


async def _finished(request: Request, principal: Principal, job_id: str, seconds: int) -> Response | None:
    """The job's document, if the job ends within this time; None else: it was accepted, so that is never an error."""
    res: Resources = request.app.state.resources
    try:
        with followed(res, principal.user_id):
            if not await wait_for_end(res, job_id, seconds):
                return None
            record = await res.core.db.read(lambda conn: job_record(conn, res.signer, job_id, owner_filter(principal)))
    except TryLater:
        return None
    applied = {"Preference-Applied": f"wait={seconds}"}
    return Response(record.model_dump_json(by_alias=True), 200, applied, "application/json")


async def _submit(
    request: Request, principal: Principal, queue: str, body: GeneratorBody, key: str | None
) -> list[Submission]:
    res: Resources = request.app.state.resources  # not asked for as a dependency: each one costs every request time
    return await generate(res, principal, queue, body, key=key, request_id=request_id(request))
