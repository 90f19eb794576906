"""A delivery as it is sent: the body, and the headers of Standard Webhooks that prove who sent it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks import Webhook

from bmn.db.records import DeliveryRow
from bmn.schemas.base import when
from bmn.signing import Signer


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver gets. A repetition has the same `webhook-id`, and a signature of its own time."""

    body: str
    headers: dict[str, str]


def message_of(delivery: DeliveryRow, secret: str, signer: Signer) -> Message:
    """secret: `whsec_…`. signer: makes the addresses of our files in it open for a while."""
    content = {
        "type": delivery.event,
        "timestamp": when(delivery.created_at),
        "data": signer.sign_all(delivery.payload),
    }
    body, now = json.dumps(content, separators=(",", ":"), ensure_ascii=False), datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery.id, now, body),
    }
    return Message(body, headers)
