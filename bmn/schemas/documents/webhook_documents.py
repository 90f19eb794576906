"""Webhooks as the API answers them: who receives them, and what became of each."""

from typing import Any

from bmn.schemas.documents.document import Document, Time, absent


class WebhookSecret(Document):
    """What deliveries are signed with: `whsec_…`, as the libraries of Standard Webhooks take it."""

    key: str


class WebhookEndpoint(Document):
    """A receiver of an account. events: what it hears. disabledAt: since when it gets nothing, until it is enabled again."""

    id: str
    url: str
    events: list[str]
    created_at: Time
    disabled_at: Time | None = None
    disabled_reason: str | None = None


class MadeWebhookEndpoint(WebhookEndpoint):
    """A new one, with the secret that its deliveries are signed with."""

    key: str


class WebhookEndpoints(Document):
    """All of an account, oldest first."""

    endpoints: list[WebhookEndpoint]


class WebhookDelivery(Document):
    """One event for one receiver. id: the `webhook-id`. state: pending, delivered, failed, or dropped.

    attempts: since it was last replayed. status: of the last answer. error: why the last attempt failed, or why nobody is to
    hear it any more. payload: `data` of the message, without the signatures of addresses.
    """

    id: str
    event: str
    state: str
    url: str
    job_id: str
    endpoint_id: str | None
    attempts: int
    status: int | None
    error: str | None
    payload: dict[str, Any]
    created_at: Time
    attempted_at: Time | None
    ended_at: Time | None
    delivery_job_id: str | None = absent()


class WebhookDeliveries(Document):
    """One page of the log, newest first."""

    deliveries: list[WebhookDelivery]
    next_cursor: str | None


class WebhookMessage(Document):
    """What a listener hands on as it is: `body`, byte for byte, with these headers."""

    id: str
    event: str
    job_id: str
    body: str
    headers: dict[str, str]


class WebhookMessages(Document):
    """What a listener has not got yet, oldest first."""

    messages: list[WebhookMessage]
