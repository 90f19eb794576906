"""Mails and CRM events that other systems of ours ask for."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from bmn.errors import UsageProblem
from bmn.jobs.submission import Idempotent, submit
from bmn.schemas.api import EventBody
from bmn.server.dependencies import IdempotencyKey, Res, Service, request_id

router = APIRouter(prefix="/api/v1", tags=["events"])


@router.post("/events", status_code=202)
async def accept(
    body: EventBody, request: Request, res: Res, principal: Service, key: IdempotencyKey = None
) -> JSONResponse:
    """Exactly one of `crm` and `email`, by the schema of its queue. Service or admin tokens only."""
    try:
        queue, payload = body.payload()
    except ValidationError:
        raise
    except ValueError as error:
        raise UsageProblem(
            "Validation failed", details=[{"loc": ["body"], "msg": str(error), "type": "value"}]
        ) from None
    (job,) = await submit(
        res.core,
        principal.user_id,
        queue,
        [payload],
        idempotent=Idempotent.of(key, {"queue": queue, "body": body.dump()}) if key else None,
        request_id=request_id(request),
    )
    return JSONResponse({"jobId": job.job_id, "queueName": job.queue, "message": "Accepted."}, 202)
