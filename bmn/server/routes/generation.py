"""The generators: each POST checks, stores and answers 202; the work is done elsewhere."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bmn.identity.tokens import Principal
from bmn.jobs.submission import Idempotent, Submission, submit
from bmn.schemas import requests
from bmn.server.dependencies import GenerationCaller, IdempotencyKey, request_id
from bmn.server.resources import Resources
from bmn.server.submissions import payloads_of

router = APIRouter(prefix="/api/v1/generation", tags=["generation"])

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": requests.ErrorBody} for status in (400, 401, 402, 404, 409, 413, 429, 503)
}


@router.post("/logos", status_code=202, response_model=requests.Submitted, responses=_REFUSALS)
async def logos(
    body: requests.LogosBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> JSONResponse:
    message = f"Logo generation started. Generating {body.count} logo{'s' if body.count > 1 else ''}."
    return await _one(request, principal, "logo-generation", body, key, message)


@router.post("/mockups", status_code=202, response_model=requests.MockupsSubmitted, responses=_REFUSALS)
async def mockups(
    body: requests.MockupsBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> JSONResponse:
    """One job a product; all of them or none."""
    submitted = await _submit(request, principal, "mockup-generation", body, key)
    jobs = [
        {"productId": product.product_id, "jobId": job.job_id, "queueName": job.queue}
        for product, job in zip(body.products, submitted, strict=True)
    ]
    number = len(body.products)
    message = f"Started mockup generation for {number} product{'s' if number > 1 else ''}."
    return JSONResponse({"jobs": jobs, "message": message, **_warning(submitted[0])}, 202)


@router.post("/bundles", status_code=202, response_model=requests.Submitted, responses=_REFUSALS)
async def bundles(
    body: requests.BundlesBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> JSONResponse:
    message = f"Bundle composition started with {len(body.product_mockup_urls)} products."
    return await _one(request, principal, "bundle-composition", body, key, message)


@router.post("/videos", status_code=202, response_model=requests.Submitted, responses=_REFUSALS)
async def videos(
    body: requests.VideosBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> JSONResponse:
    message = f"Video generation started. Making {body.duration_seconds} seconds."
    return await _one(request, principal, "video-generation", body, key, message)


@router.post("/wizard", status_code=202, response_model=requests.Submitted, responses=_REFUSALS)
async def wizard(
    body: requests.WizardBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
) -> JSONResponse:
    message = f"Wizard step {body.step} started."
    return await _one(request, principal, "brand-wizard", body, key, message)


async def _one(
    request: Request, principal: Principal, queue: str, body: Any, key: str | None, message: str
) -> JSONResponse:
    (job,) = await _submit(request, principal, queue, body, key)
    answer = {
        "jobId": job.job_id,
        "generationJobId": job.generation_job_id,
        "queueName": job.queue,
        "message": message,
        **_warning(job),
    }
    return JSONResponse(answer, 202)


def _warning(job: Submission) -> dict[str, str]:
    return {"warning": job.warning} if job.warning else {}


async def _submit(request: Request, principal: Principal, queue: str, body: Any, key: str | None) -> list[Submission]:
    res: Resources = request.app.state.resources  # not asked for as a dependency: each one costs every request time
    return await submit(
        res.core,
        principal.user_id,
        queue,
        await payloads_of(res, principal, body),
        idempotent=Idempotent.of(key, {"queue": queue, "body": body.dump()}) if key else None,
        request_id=request_id(request),
    )
