"""Webhooks: an account's receivers, the secrets that they check signatures with, and the log of what was sent to them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from bmn.db.engine import Connection
from bmn.db.hooks import deliveries, gone, webhook_store
from bmn.db.records import DeliveryRow, DeliveryState, EndpointRow, Hook
from bmn.errors import UsageProblem
from bmn.schemas import documents
from bmn.schemas.base import Id, JobId
from bmn.schemas.webhook_payloads import ENDS, SUBSCRIBED, EndpointBody, ListenBody, OutcomeBody, WebhookTestBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.answers import views
from bmn.server.usecases.translation import receiver
from bmn.work.webhooks.message import message_of

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"], route_class=AskingRoute)

_OF_CALLER = ANY_CALLER | refusals(404)
_LISTENER = "bmn webhooks listen"


@router.get("/default/secret", responses=ANY_CALLER)
async def default_secret(res: Res, principal: Caller) -> documents.WebhookSecret:
    """The secret for `webhookUrl` of a submission."""
    return documents.WebhookSecret(key=res.signer.webhook_secret(principal.user_id))


@router.get("/endpoints", responses=ANY_CALLER)
async def list_endpoints(res: Res, principal: Caller) -> documents.WebhookEndpoints:
    """The account's receivers, oldest first."""
    rows = await res.core.db.read(lambda conn: webhook_store.endpoints(conn, principal.user_id))
    return documents.WebhookEndpoints(endpoints=[views.endpoint(row) for row in rows])


@router.post("/endpoints", status_code=201, responses=ANY_CALLER | refusals(409, 413))
async def add_endpoint(body: EndpointBody, res: Res, principal: Caller) -> documents.MadeWebhookEndpoint:
    """A receiver of all jobs that the account submits from now on."""
    url, events = receiver(res.settings, body.url, "url"), body.events or ENDS
    row = await res.core.db.write(lambda conn: webhook_store.add_endpoint(conn, principal.user_id, url, events))
    return _made(row)


@router.delete("/endpoints/{endpoint_id}", status_code=204, responses=_OF_CALLER)
async def remove_endpoint(endpoint_id: Id, res: Res, principal: Caller) -> Response:
    """It hears nothing more, not even what is on its way."""
    await res.core.db.write(lambda conn: webhook_store.remove_endpoint(conn, endpoint_id, principal.user_id))
    return Response(status_code=204)


@router.post("/endpoints/{endpoint_id}/enable", responses=_OF_CALLER)
async def enable_endpoint(endpoint_id: Id, res: Res, principal: Caller) -> documents.WebhookEndpoint:
    """One that was disabled, since it had answered 410, hears again from the next event on."""
    return views.endpoint(await res.core.db.write(lambda conn: gone.enable(conn, endpoint_id, principal.user_id)))


@router.get("/endpoints/{endpoint_id}/secret", responses=_OF_CALLER)
async def endpoint_secret(endpoint_id: Id, res: Res, principal: Caller) -> documents.WebhookSecret:
    """The secret of one receiver."""
    row = await res.core.db.read(lambda conn: webhook_store.get_endpoint(conn, endpoint_id, principal.user_id))
    return documents.WebhookSecret(key=row.secret)


@router.post("/test", status_code=202, responses=_OF_CALLER | refusals(409, 413))
async def test_receiver(body: WebhookTestBody, res: Res, principal: Caller) -> documents.WebhookDelivery:
    """Sends `webhook.test`, to an endpoint or to an address; the log says what came of it."""
    if (body.endpoint_id is None) == (body.url is None):
        raise UsageProblem("Give either endpointId or url.")
    url = receiver(res.settings, body.url, "url") if body.url else ""

    def add(conn: Connection) -> DeliveryRow:
        if body.endpoint_id is None:
            return webhook_store.add_test(conn, principal.user_id, Hook(url, ()))
        found = webhook_store.get_endpoint(conn, body.endpoint_id, principal.user_id)
        gone.check_hears(found)
        return webhook_store.add_test(conn, principal.user_id, Hook(found.url, (), found.id))

    return views.delivery(await res.core.db.write(add))


@router.get("/deliveries", responses=ANY_CALLER)
async def list_deliveries(
    res: Res,
    principal: Caller,
    job: Annotated[JobId | None, Query()] = None,
    endpoint: Annotated[Id | None, Query()] = None,
    state: Annotated[DeliveryState | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> documents.WebhookDeliveries:
    """The log of thirty days, newest first."""
    rows, following = await res.core.db.read(
        lambda conn: deliveries.listed(
            conn, principal.user_id, job_id=job, endpoint_id=endpoint, state=state, limit=limit, cursor=cursor
        )
    )
    return documents.WebhookDeliveries(deliveries=[views.delivery(row) for row in rows], next_cursor=following)


@router.get("/deliveries/{delivery_id}", responses=_OF_CALLER)
async def show_delivery(delivery_id: JobId, res: Res, principal: Caller) -> documents.WebhookDelivery:
    """One entry of the log."""
    row = await res.core.db.read(lambda conn: deliveries.get_delivery(conn, delivery_id, principal.user_id))
    return views.delivery(row)


@router.post("/deliveries/{delivery_id}/replay", status_code=202, responses=_OF_CALLER | refusals(409))
async def replay_delivery(delivery_id: JobId, res: Res, principal: Caller) -> documents.WebhookDelivery:
    """Sends it once more, with the same `webhook-id`. 409 while it is still on its way."""
    row = await res.core.db.write(lambda conn: deliveries.replay(conn, delivery_id, principal.user_id))
    return views.delivery(row)


@router.post("/listen", status_code=201, responses=ANY_CALLER | refusals(409, 413))
async def listen(res: Res, principal: Caller, body: ListenBody | None = None) -> documents.MadeWebhookEndpoint:
    """A receiver that asks for its messages; it is gone a minute after it last did."""
    events = (body and body.events) or SUBSCRIBED
    row = await res.core.db.write(
        lambda conn: webhook_store.add_endpoint(conn, principal.user_id, _LISTENER, events, listens=True)
    )
    return _made(row)


@router.post("/listen/{endpoint_id}", responses=_OF_CALLER)
async def take_messages(endpoint_id: Id, res: Res, principal: Caller) -> documents.WebhookMessages:
    """What a listener has not got yet. Until it says what came of a message, it gets it again."""

    def take(conn: Connection) -> tuple[EndpointRow, list[DeliveryRow]]:
        found = webhook_store.keep_listening(conn, endpoint_id, principal.user_id)
        return webhook_store.get_endpoint(conn, endpoint_id, principal.user_id), found

    row, found = await res.core.db.write(take)
    messages = [(each, message_of(each, row.secret, res.signer)) for each in found]
    return documents.WebhookMessages(
        messages=[
            documents.WebhookMessage(
                id=each.id, event=each.event, job_id=each.job_id, body=message.body, headers=message.headers
            )
            for each, message in messages
        ]
    )


@router.post("/listen/{endpoint_id}/{delivery_id}", responses=_OF_CALLER | refusals(413))
async def note_outcome(
    endpoint_id: Id, delivery_id: JobId, res: Res, principal: Caller, body: OutcomeBody
) -> documents.WebhookDelivery:
    """What became of a message that a listener took. It is not attempted again by itself."""
    taken = body.status is not None and 200 <= body.status < 300
    why = body.error or (None if taken else f"The receiver answered HTTP {body.status}.")
    state = DeliveryState.DELIVERED if taken else DeliveryState.FAILED

    def note(conn: Connection) -> DeliveryRow:
        deliveries.of_endpoint(conn, delivery_id, endpoint_id, principal.user_id)
        deliveries.attempted(conn, delivery_id, state, status=body.status, error=why)
        return deliveries.get_delivery(conn, delivery_id, principal.user_id)

    return views.delivery(await res.core.db.write(note))


def _made(row: EndpointRow) -> documents.MadeWebhookEndpoint:
    return documents.MadeWebhookEndpoint(**dict(views.endpoint(row)), key=row.secret)
