"""Outgoing webhooks: what a receiver may ask to hear, which of a job's events that is."""

import base64
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field

from bmn.schemas.base import HttpUrl, Id, Model, Text
from bmn.schemas.events import JobCancelled, JobComplete, JobEvent, JobFailed, JobProgress
from bmn.schemas.payloads import Payload

WebhookEvent = Literal[
    "job.started", "job.progress", "job.completed", "job.failed", "job.cancelled", "asset.created", "webhook.test"
]
Subscribed = Literal["job.started", "job.progress", "job.completed", "job.failed", "job.cancelled", "asset.created"]

SUBSCRIBED: tuple[Subscribed, ...] = get_args(Subscribed)
ENDS: tuple[Subscribed, ...] = ("job.completed", "job.failed", "job.cancelled")
"""What a receiver hears that asked for nothing else. Exactly one of them is a job's last."""

DELIVERY_QUEUE = "webhook-delivery"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

SubscribedList = Annotated[list[Subscribed], Field(min_length=1, max_length=len(SUBSCRIBED))]


class DeliveryPayload(Payload):
    """user_id: whose delivery it is, for the turns in the queue."""

    delivery_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    user_id: Id


class EndpointBody(Model):
    """A receiver of an account. events: what it hears; the ends of jobs, where none are given."""

    url: HttpUrl
    events: SubscribedList | None = None


class ListenBody(Model):
    """What a listener hears; everything, where no events are given."""

    events: SubscribedList | None = None


class WebhookTestBody(Model):
    """Which receiver gets a `webhook.test`: an endpoint of the account, or an address, signed with the default secret."""

    endpoint_id: Id | None = None
    url: HttpUrl | None = None


class OutcomeBody(Model):
    """How a listener's receiver answered. status: of HTTP; None where it did not answer."""

    status: Annotated[int, Field(ge=100, le=599)] | None = None
    error: Annotated[Text, Field(max_length=300)] | None = None


def as_secret(key: bytes) -> str:
    """A key as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(key).decode()}"


def webhook_events(event: JobEvent) -> tuple[Subscribed, ...]:
    """What receivers hear of an event. A failure with attempts to come is none; a saved picture is two."""
    if isinstance(event, JobComplete):
        return ("job.completed",)
    if isinstance(event, JobCancelled):
        return ("job.cancelled",)
    if isinstance(event, JobFailed):
        return ("job.failed",) if event.retries_left == 0 else ()
    if isinstance(event, JobProgress):
        return ("job.progress", "asset.created") if event.asset is not None else ("job.progress",)
    return ()


def is_loopback(url: str) -> bool:
    """Whether an address names this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def own_origins(url: str, *, development: bool) -> tuple[str, ...]:
    """The origin of a receiver on this machine, which is for development: by plain http, and at any port."""
    if not development or not is_loopback(url):
        return ()
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",)
