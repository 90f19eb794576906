"""The nine queues, one row each; the figures are the specification's.

A tenth queue is one payload, one row here, one handler, one test.
"""

from bmn.jobs.queue import DEAD_LETTER, Queue, by_name, find_queue
from bmn.schemas import payloads

QUEUES: dict[str, Queue] = by_name(
    (
        Queue(
            name="brand-wizard",
            payload=payloads.BrandWizard,
            handler="bmn.work.wizard.step",
            slots=2,
            timeout=300,
            priority=1,
            attempts=2,
            backoff=5,
            keep=(200, 500),
            job_type="wizard",
            credit="bmn_credits_wizard",
        ),
        Queue(
            name="logo-generation",
            payload=payloads.LogoGeneration,
            handler="bmn.work.generators.logos",
            slots=4,
            timeout=120,
            priority=1,
            attempts=3,
            backoff=3,
            keep=(500, 500),
            job_type="logo",
            credit="bmn_credits_logo",
        ),
        Queue(
            name="mockup-generation",
            payload=payloads.MockupGeneration,
            handler="bmn.work.generators.mockups",
            slots=4,
            timeout=120,
            priority=1,
            attempts=3,
            backoff=3,
            keep=(500, 500),
            job_type="mockup",
            credit="bmn_credits_mockup",
        ),
        Queue(
            name="bundle-composition",
            payload=payloads.BundleComposition,
            handler="bmn.work.generators.bundles",
            slots=2,
            timeout=120,
            priority=2,
            attempts=3,
            backoff=5,
            keep=(200, 200),
            job_type="bundle",
            credit="bmn_credits_bundle",
        ),
        Queue(
            name="video-generation",
            payload=payloads.VideoGeneration,
            handler="bmn.work.generators.videos",
            slots=1,
            timeout=300,
            priority=2,
            attempts=2,
            backoff=10,
            keep=(100, 100),
            job_type="video",
            credit="bmn_credits_video",
        ),
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
        ),
    )
)

# What RQ and its dashboard list: the nine, and the dead letters.
ALL_QUEUES: tuple[str, ...] = (*QUEUES, DEAD_LETTER)


def get_queue(name: str) -> Queue:
    """The row of a queue. Raises NotFound, which lists the names there are."""
    return find_queue(QUEUES, name)
