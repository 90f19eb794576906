"""Mails and CRM events that other systems of ours ask for."""

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from bmn.db.wizard import journeys
from bmn.jobs.submission import Idempotent, submit
from bmn.schemas import documents
from bmn.schemas.payloads import EmailSend
from bmn.schemas.requests import EventBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller, IdempotencyKey, Res, request_id
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.state.resources import Resources

router = APIRouter(prefix="/api/v1", tags=["events"], responses=ANY_CALLER, route_class=AskingRoute)


@router.post("/events", status_code=202, responses=refusals(409, 413))
async def accept(
    body: EventBody, request: Request, res: Res, principal: Caller, key: IdempotencyKey = None
) -> documents.Accepted:
    """Exactly one of `crm` and `email`, by the schema of its queue. Tokens and keys of services and admins only."""
    try:
        queue, payload = body.payload()
    except ValidationError:
        raise
    except ValueError as error:
        issue = {"loc": ("body",), "type": "value_error", "msg": str(error), "ctx": {"error": error}}
        raise RequestValidationError([issue]) from None
    if isinstance(payload, EmailSend):
        payload = await _to_its_user(res, payload)
    (job,) = await submit(
        res.core,
        principal.user_id,
        queue,
        [payload],
        idempotent=Idempotent.of(key, {"queue": queue, "body": body.dump()}) if key else None,
        request_id=request_id(request),
    )
    return documents.Accepted(job_id=job.job_id, queue_name=job.queue, message="Accepted.")


async def _to_its_user(res: Resources, mail: EmailSend) -> EmailSend:
    """A mail about a user goes to the address of their account, or to our support; never to whom its request names."""
    user_id = mail.user_id
    if user_id is None or mail.to == res.settings.support_email:
        return mail
    known = await res.core.db.read(lambda conn: journeys.email_of(conn, user_id))
    return mail.model_copy(update={"to": known}) if known else mail
