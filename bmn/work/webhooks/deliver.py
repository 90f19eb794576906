"""Delivers one webhook: signed, to an address on the open internet, until it is taken or a day has passed."""

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bmn import failpoints
from bmn.db.engine import Connection
from bmn.db.hooks import deliveries
from bmn.db.records import Delivery, DeliveryState
from bmn.errors import Cause, JobFailure
from bmn.jobs.context import Context, Result
from bmn.providers.fetch import Answer, Fetcher
from bmn.schemas.base import now_ms
from bmn.schemas.results import Counts
from bmn.schemas.webhooks import WebhookDelivery, is_loopback
from bmn.settings import Settings
from bmn.signing import Signer
from bmn.work.webhooks.message import message_of

_GONE = 410  # a receiver that says so wants nothing more of it


async def run(ctx: Context[WebhookDelivery]) -> Result:
    """One attempt. The row is looked at right before, so that what a cancel has dropped is not sent any more."""

    signer = Signer(ctx.settings, ctx.storage)

    def read(conn: Connection) -> tuple[Delivery, str | None]:
        found = deliveries.get_delivery(conn, ctx.payload.delivery_id)
        own = found.endpoint_id is None
        return found, signer.webhook_secret(found.user_id) if own else deliveries.secret_of(conn, found)

    delivery, secret = await ctx.db.read(read)
    if secret is None:
        await ctx.commit(lambda conn: deliveries.drop(conn, delivery.id, "Its endpoint was removed."))
    if secret is None or delivery.state is not DeliveryState.PENDING or delivery.delivery_job != ctx.job.id:
        return Result("Nobody is to hear this any more", data=Counts({"delivered": 0}))
    message = message_of(delivery, secret, signer)
    try:
        fetcher = Fetcher(ctx.settings, seconds=ctx.settings.bmn_webhook_seconds)
        trusted = _trusted(ctx.settings, delivery.url)
        answer = await fetcher.post(delivery.url, message.body.encode(), message.headers, trusted=trusted)
    except JobFailure as problem:
        raise await _failed(ctx, problem.message, None, heals=problem.cause is Cause.DOWNLOAD_FAILED) from problem
    failpoints.hit("webhook_sent")
    if not 200 <= answer.status < 300:
        raise await _failed(ctx, _words(answer), answer, heals=answer.status != _GONE)
    done = DeliveryState.DELIVERED
    await ctx.commit(lambda conn: deliveries.attempted(conn, delivery.id, done, status=answer.status))
    return Result(f"Delivered, answered {answer.status}", data=Counts({"delivered": 1}))


def _trusted(settings: Settings, url: str) -> tuple[str, ...]:
    """Receivers on this machine are for development."""
    if settings.is_production or not is_loopback(url):
        return ()
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc}",)


async def _failed(ctx: Context[WebhookDelivery], why: str, answer: Answer | None, *, heals: bool) -> JobFailure:
    """Writes the attempt into the log, and says whether another follows."""
    again = heals and ctx.job.attempt < ctx.job.max_attempts
    state = DeliveryState.PENDING if again else DeliveryState.FAILED
    status = answer.status if answer else None
    await ctx.commit(lambda conn: deliveries.attempted(conn, ctx.payload.delivery_id, state, status=status, error=why))
    wait = _seconds(answer.retry_after) if answer else None
    return JobFailure(Cause.WEBHOOK_FAILED, why, retryable=again, retry_after=wait)


def _words(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"The receiver redirects (HTTP {answer.status}), which is not followed: name its final address."
    return f"The receiver answered HTTP {answer.status}."


def _seconds(header: str) -> float | None:
    """A Retry-After: seconds, or a date."""
    if header.isascii() and header.isdecimal():
        return float(header[:9])
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now_ms() / 1000)
    except (ValueError, TypeError, OverflowError):
        return None
