"""Mails about jobs that ended while nobody watched: one a job, or one for those of a kind that were ordered together."""

from uuid import NAMESPACE_URL, uuid5

from redis.exceptions import RedisError

from bmn.broker import keys
from bmn.db.records import EndedJob
from bmn.db.wizard import journeys
from bmn.jobs.core import Core
from bmn.jobs.submission import dispatch
from bmn.logs import get_logger
from bmn.schemas.generators import KINDS
from bmn.schemas.payloads import JobState
from bmn.signing import Signer

log = get_logger(__name__)

PATIENCE_SECONDS = 600.0  # in which somebody may come back and look
_LATEST_SECONDS = 3600.0  # what is older is no news
_NOUNS = {kind.queue: kind.noun for kind in KINDS.values()}


async def tell_of_ends(core: Core) -> int:
    """Sends the mails that are due; returns how many. While Redis is away nobody knows who watched, so none goes out."""
    ended = await core.db.read(
        lambda conn: journeys.ended_lately(conn, [*_NOUNS], after=_LATEST_SECONDS, before=PATIENCE_SECONDS)
    )
    if not ended:
        return 0
    try:
        seen = await core.redis.mget([keys.watched(job.id) for job in ended])
    except (RedisError, OSError) as error:
        log.warning("no mails about ended jobs while Redis is away", error=str(error))
        return 0
    signer = Signer(core.settings, core.storage)
    due = [job for job, watched in zip(ended, seen, strict=True) if not watched]
    for job in due:
        await _send(core, signer, job)
    return len(due)


async def _send(core: Core, signer: Signer, job: EndedJob) -> None:
    """The same job, or all of one kind in its group, is one mail: its id says so."""
    address = core.settings.public_address
    data = {
        "name": job.email.split("@")[0],
        "assetType": _NOUNS[job.queue],
        "brandName": job.name,
        "offUrl": f"{address}/mails/{signer.mails_token(job.user_id)}",
    }
    failed = job.state == JobState.FAILED
    page = f"{address}/g/job/{job.id}"
    payload = {
        "to": job.email,
        "userId": job.user_id,
        "template": "generation-failed" if failed else "generation-ready",
        "data": {**data, ("retryUrl" if failed else "dashboardUrl"): page},
    }
    once = f"{job.group_id or job.id}/{job.queue}/{'failed' if failed else 'ready'}"
    await dispatch(core, "email-send", payload, job_id=f"email-send-{uuid5(NAMESPACE_URL, once)}")
