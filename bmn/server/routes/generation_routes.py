"""The generators: each POST checks, stores and answers 202; the work is done elsewhere."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from bmn.errors import NotSignedIn, TryLater
from bmn.identity.tokens import Principal
from bmn.jobs.submission import Submission
from bmn.schemas import documents
from bmn.schemas.generators import KINDS
from bmn.schemas.generators.mockups import MockupsBody
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.server.access.dependencies import GenerationCaller, IdempotencyKey, is_operator, owner_filter
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.submission_route import SubmissionRoute
from bmn.server.answers.job_record import job_record
from bmn.server.state.resources import Resources
from bmn.server.usecases.actions import generate
from bmn.server.usecases.waiting import followed, preferred_wait, wait_for_end

router = APIRouter(prefix="/api/v1/generation", tags=["generation"], route_class=SubmissionRoute)

_REFUSALS = ANY_CALLER | refusals(402, 403, 404, 409, 413)
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


Endpoint = Callable[..., Awaitable[documents.Submitted | documents.MockupsSubmitted | Response]]


def add_routes(kind: Kind) -> None:
    """`POST /generation/{name}`, as the generator's schema describes it."""
    path = f"/{kind.name}"
    if kind.many:
        several = _described(_several(kind), kind)
        router.post(path, status_code=202, response_model=documents.MockupsSubmitted, responses=_REFUSALS)(several)
    else:
        route = router.post(
            path, status_code=202, response_model=documents.Submitted, responses=_ANSWERS, openapi_extra=_PREFER
        )
        route(_described(_one(kind), kind))


def _described(endpoint: Endpoint, kind: Kind) -> Endpoint:
    """With what FastAPI reads off a function."""
    endpoint.__name__, endpoint.__doc__ = kind.name, kind.text
    endpoint.__annotations__["body"] = kind.body
    return endpoint


def _one(kind: Kind) -> Endpoint:
    async def submit(
        body: GeneratorBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
    ) -> documents.Submitted | Response:
        (job,) = await _submit(request, principal, kind, body, key)
        seconds = preferred_wait(request.headers.get("prefer"))
        if seconds is not None and (ended := await _finished(request, principal, job.job_id, seconds)) is not None:
            return ended
        return documents.Submitted(
            job_id=job.job_id,
            generation_job_id=job.generation_job_id,
            queue_name=job.queue,
            message=job.warning or "" if job.ended else body.accepted(),
            warning=job.warning,
            ended=job.ended,
            replaced=job.replaced or None,
        )

    return submit


def _several(kind: Kind) -> Endpoint:
    async def submit(
        body: MockupsBody, request: Request, principal: GenerationCaller, key: IdempotencyKey = None
    ) -> documents.MockupsSubmitted:
        submitted = await _submit(request, principal, kind, body, key)
        jobs = [
            documents.MockupJob(product_id=product.product_id, job_id=job.job_id, queue_name=job.queue)
            for product, job in zip(body.products, submitted, strict=True)
        ]
        first = next((job for job in submitted if job.ended), submitted[0])
        message = first.warning or "" if first.ended else body.accepted()
        return documents.MockupsSubmitted(
            jobs=jobs, message=message, warning=first.warning, ended=first.ended, replaced=first.replaced or None
        )

    return submit


async def _finished(request: Request, principal: Principal, job_id: str, seconds: int) -> Response | None:
    """The job's document, if the job ends within this time; None else: it was accepted, so that is never an error."""
    res: Resources = request.app.state.resources
    try:
        async with followed(res, principal.user_id):
            if not await wait_for_end(res, job_id, seconds):
                return None
            await res.auth.current(principal)  # a key may have been revoked meanwhile
            owner, operator = owner_filter(principal), is_operator(res, principal)
            record = await res.core.db.read(lambda conn: job_record(conn, res.signer, job_id, owner, operator=operator))
    except (TryLater, NotSignedIn):
        return None
    applied = {"Preference-Applied": f"wait={seconds}"}
    return Response(record.model_dump_json(by_alias=True), 200, applied, "application/json")


async def _submit(
    request: Request, principal: Principal, kind: Kind, body: GeneratorBody, key: str | None
) -> list[Submission]:
    res: Resources = request.app.state.resources  # not asked for as a dependency: each one costs every request time
    return await generate(res, principal, kind, body, key=key, request=request)


for each in KINDS.values():
    add_routes(each)
