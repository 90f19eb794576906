"""The queues that work behind the generators, one row each."""

from bmn.jobs.queue import Queue, by_name
from bmn.schemas import payloads
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE, DeliveryPayload

HOUSEKEEPING: dict[str, Queue] = by_name(
    (
        Queue(
            name="crm-sync",
            payload=payloads.CrmSync,
            handler="bmn.work.crm",
            slots=5,
            timeout=30,
            priority=5,
            attempts=5,
            backoff=10,
            keep=(1000, 1000),
            process="waiting",
        ),
        Queue(
            name="email-send",
            payload=payloads.EmailSend,
            handler="bmn.work.mail.send",
            slots=10,
            timeout=15,
            priority=3,
            attempts=5,
            backoff=5,
            keep=(2000, 1000),
            process="waiting",
        ),
        Queue(
            name="image-upload",
            payload=payloads.ImageUpload,
            handler="bmn.work.uploads",
            slots=5,
            timeout=60,
            priority=2,
            attempts=3,
            backoff=3,
            keep=(500, 500),
            process="waiting",
        ),
        Queue(
            name=DELIVERY_QUEUE,
            payload=DeliveryPayload,
            handler="bmn.work.webhooks.deliver",
            slots=10,
            timeout=40,
            priority=3,
            attempts=9,
            backoff=5,
            # Ten of them share a process with eight other queues, so one that dies is seldom their fault, and to deliver
            # once more is harmless: the receiver knows the id. From the third on it runs alone, and harms nobody else.
            losses=9,
            waits=(5, 60, 300, 1800, 7200, 18_000, 18_000, 21_600),  # with their jitter, a day in all
            keep=(500, 500),
            process="waiting",
        ),
        Queue(
            name="cleanup",
            payload=payloads.Cleanup,
            handler="bmn.work.cleanup",
            slots=1,
            timeout=120,
            priority=10,
            attempts=1,
            backoff=60,
            keep=(50, 50),
            process="waiting",
        ),
    )
)
