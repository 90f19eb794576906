"""The nine queues, one row each. A tenth queue is one payload, one row here, one handler, one test."""

from dataclasses import dataclass

from bmn.errors import NotFound, meant
from bmn.schemas import payloads
from bmn.schemas.payloads import Payload

DEAD_LETTER = "dead-letter"


@dataclass(frozen=True, slots=True)
class Keep:
    """How many ended jobs RQ's view keeps, and for how long. count: jobs. age: seconds."""

    count: int
    age: int


@dataclass(frozen=True, slots=True)
class Queue:
    """One row of the registry; the figures are the specification's.

    handler: import path of a module with `async def run(ctx)`, so that a server dispatches without loading a vendor's SDK.
    slots: jobs one worker process runs at once. timeout: seconds an attempt may take. priority: lower goes first.
    backoff: seconds before the second attempt, doubled for each further one. job_type: the word in `generation_jobs`,
    empty for queues that are no generator. credit: the setting that prices one unit.
    """

    name: str
    payload: type[Payload]
    handler: str
    slots: int
    timeout: float
    priority: int
    attempts: int
    backoff: float
    keep_completed: Keep
    keep_failed: Keep
    job_type: str = ""
    credit: str = ""


_DAY, _WEEK = 86_400, 604_800


def _queue(
    name: str,
    payload: type[Payload],
    module: str,
    *,
    slots: int,
    timeout: float,
    priority: int,
    attempts: int,
    backoff: float,
    keep: tuple[int, int],
    job_type: str = "",
    credit: str = "",
) -> Queue:
    completed, failed = Keep(keep[0], _DAY), Keep(keep[1], _WEEK)
    return Queue(
        name,
        payload,
        f"bmn.work.{module}",
        slots,
        timeout,
        priority,
        attempts,
        backoff,
        completed,
        failed,
        job_type,
        credit,
    )


QUEUES: dict[str, Queue] = {
    queue.name: queue
    for queue in (
        _queue(
            "brand-wizard",
            payloads.BrandWizard,
            "wizard.step",
            slots=2,
            timeout=300,
            priority=1,
            attempts=2,
            backoff=5,
            keep=(200, 500),
            job_type="wizard",
            credit="bmn_credits_wizard",
        ),
        _queue(
            "logo-generation",
            payloads.LogoGeneration,
            "generators.logos",
            slots=4,
            timeout=120,
            priority=1,
            attempts=3,
            backoff=3,
            keep=(500, 500),
            job_type="logo",
            credit="bmn_credits_logo",
        ),
        _queue(
            "mockup-generation",
            payloads.MockupGeneration,
            "generators.mockups",
            slots=4,
            timeout=120,
            priority=1,
            attempts=3,
            backoff=3,
            keep=(500, 500),
            job_type="mockup",
            credit="bmn_credits_mockup",
        ),
        _queue(
            "bundle-composition",
            payloads.BundleComposition,
            "generators.bundles",
            slots=2,
            timeout=120,
            priority=2,
            attempts=3,
            backoff=5,
            keep=(200, 200),
            job_type="bundle",
            credit="bmn_credits_bundle",
        ),
        _queue(
            "video-generation",
            payloads.VideoGeneration,
            "generators.videos",
            slots=1,
            timeout=300,
            priority=2,
            attempts=2,
            backoff=10,
            keep=(100, 100),
            job_type="video",
            credit="bmn_credits_video",
        ),
        _queue(
            "crm-sync",
            payloads.CrmSync,
            "crm",
            slots=5,
            timeout=30,
            priority=5,
            attempts=5,
            backoff=10,
            keep=(1000, 1000),
        ),
        _queue(
            "email-send",
            payloads.EmailSend,
            "mail.send",
            slots=10,
            timeout=15,
            priority=3,
            attempts=5,
            backoff=5,
            keep=(2000, 1000),
        ),
        _queue(
            "image-upload",
            payloads.ImageUpload,
            "uploads",
            slots=5,
            timeout=60,
            priority=2,
            attempts=3,
            backoff=3,
            keep=(500, 500),
        ),
        _queue(
            "cleanup",
            payloads.Cleanup,
            "cleanup",
            slots=1,
            timeout=120,
            priority=10,
            attempts=1,
            backoff=60,
            keep=(50, 50),
        ),
    )
}

# What RQ and its dashboard list: the nine, and the dead letters.
ALL_QUEUES: tuple[str, ...] = (*QUEUES, DEAD_LETTER)


def get_queue(name: str) -> Queue:
    """The row of a queue. Raises NotFound, which lists the names there are."""
    try:
        return QUEUES[name]
    except KeyError:
        raise NotFound(f"There is no queue {name!r}.", hint=meant(name, "Queues", QUEUES)) from None
