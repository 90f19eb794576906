"""Delivers one webhook: signed, to an address on the open internet, until it is taken or a day has passed."""

from email.utils import parsedate_to_datetime

from bmn import failpoints
from bmn.db.engine import Connection
from bmn.db.hooks import deliveries, gone
from bmn.db.records import DeliveryRow, DeliveryState, EndpointRow
from bmn.errors import Cause, JobFailure
from bmn.jobs.context import Context, Result
from bmn.numbers import is_whole
from bmn.providers.fetch import Fetcher, ReceiverAnswer
from bmn.schemas.base import now_ms
from bmn.schemas.results import Counts
from bmn.schemas.webhook_payloads import DeliveryPayload, own_origins
from bmn.signing import Signer
from bmn.work.webhooks.message import message_of


async def run(ctx: Context[DeliveryPayload]) -> Result:
    """One attempt. The row is looked at right before, so that what a cancel has dropped is not sent any more."""

    def read(conn: Connection) -> tuple[DeliveryRow, EndpointRow | None]:
        found = deliveries.get_delivery(conn, ctx.payload.delivery_id)
        return found, deliveries.endpoint_of(conn, found)

    delivery, endpoint = await ctx.db.read(read)
    if why := _nobody_hears(delivery, endpoint):
        await ctx.commit(lambda conn: deliveries.drop(conn, delivery.id, why))
    if why or delivery.state is not DeliveryState.PENDING or delivery.delivery_job != ctx.job.id:
        return Result("This is no longer to be delivered", data=Counts({"delivered": 0}))
    signer = Signer(ctx.settings, ctx.storage)
    secret = endpoint.secret if endpoint else signer.webhook_secret(delivery.user_id)
    message = message_of(delivery, secret, signer)
    try:
        fetcher = Fetcher(ctx.settings, seconds=ctx.settings.bmn_webhook_seconds)
        trusted = own_origins(delivery.url, development=not ctx.settings.is_production)
        answer = await fetcher.post(delivery.url, message.body.encode(), message.headers, trusted=trusted)
    except JobFailure as problem:
        heals = problem.cause is Cause.DOWNLOAD_FAILED
        raise await _failed(ctx, delivery, problem.message, None, heals=heals) from problem
    failpoints.hit("webhook_sent")
    if not 200 <= answer.status < 300:
        raise await _failed(ctx, delivery, _words(answer), answer, heals=answer.status != gone.GONE)
    done = DeliveryState.DELIVERED
    await ctx.commit(lambda conn: deliveries.attempted(conn, delivery.id, done, status=answer.status))
    return Result(f"Delivered, answered {answer.status}", data=Counts({"delivered": 1}))


def _nobody_hears(delivery: DeliveryRow, endpoint: EndpointRow | None) -> str | None:
    """Why a delivery is not to be sent, whatever its state; None where it may be."""
    if delivery.endpoint_id is None:
        return None
    if endpoint is None:
        return "Its endpoint was removed."
    return f"Its endpoint is disabled: {endpoint.disabled_reason}" if endpoint.disabled_at else None


async def _failed(
    ctx: Context[DeliveryPayload], delivery: DeliveryRow, why: str, answer: ReceiverAnswer | None, *, heals: bool
) -> JobFailure:
    """Writes the attempt into the log, and says whether another follows. A receiver that is gone gets nothing more."""
    again = heals and ctx.job.attempt < ctx.job.max_attempts
    state = DeliveryState.PENDING if again else DeliveryState.FAILED
    status = answer.status if answer else None

    def note(conn: Connection) -> None:
        deliveries.attempted(conn, delivery.id, state, status=status, error=why)
        if status == gone.GONE:
            gone.forget(conn, delivery)

    await ctx.commit(note)
    wait = _seconds(answer.retry_after) if answer else None
    return JobFailure(Cause.WEBHOOK_FAILED, why, retryable=again, retry_after=wait)


def _words(answer: ReceiverAnswer) -> str:
    if 300 <= answer.status < 400:
        return f"The receiver redirects (HTTP {answer.status}), which is not followed: name its final address."
    return gone.WHY if answer.status == gone.GONE else f"The receiver answered HTTP {answer.status}."


def _seconds(header: str) -> float | None:
    """A Retry-After: seconds, or a date."""
    if is_whole(header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now_ms() / 1000)
    except (ValueError, TypeError, OverflowError):
        return None
