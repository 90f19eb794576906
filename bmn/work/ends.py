"""Mails about what ended while nobody watched: one a job, or one for those of a kind that were ordered together.

The jobs of a kit are told of with their kit: once when it is done, and once for each thing that it waits for its owner with.
"""

from collections.abc import Sequence
from itertools import chain
from uuid import NAMESPACE_URL, uuid5

from redis.exceptions import RedisError

from bmn.broker import redis_keys
from bmn.db.engine import Connection
from bmn.db.records import EndedJob, KitNews
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

    def look(conn: Connection) -> tuple[list[EndedJob], list[KitNews]]:
        ended = journeys.ended_lately(conn, [*_NOUNS], after=_LATEST_SECONDS, before=PATIENCE_SECONDS)
        return ended, journeys.kit_news(conn, after=_LATEST_SECONDS, before=PATIENCE_SECONDS)

    ended, news = await core.db.read(look)
    standing = {kit.id: [redis_keys.kit_at(kit.id, kit.state), kit.last_job_id or kit.id] for kit in news}
    try:
        seen = await _seen(core, [*(job.id for job in ended), *chain(*standing.values())])
    except (RedisError, OSError) as error:
        log.warning("no mails about ended jobs while Redis is away", error=str(error))
        return 0
    jobs = [job for job in ended if job.id not in seen]
    kits = [kit for kit in news if seen.isdisjoint(standing[kit.id])]
    signer = Signer(core.settings, core.storage)
    for job in jobs:
        await _send_of_job(core, signer, job)
    for kit in kits:
        await _send_of_kit(core, signer, kit)
    return len(jobs) + len(kits)


async def _seen(core: Core, names: Sequence[str]) -> set[str]:
    """Of these, what somebody has seen."""
    if not names:
        return set()
    noted = await core.redis.mget([redis_keys.watched(name) for name in names])
    return {name for name, found in zip(names, noted, strict=True) if found}


async def _send_of_job(core: Core, signer: Signer, job: EndedJob) -> None:
    """The same job, or all of one kind in its group, is one mail: its id says so."""
    failed = job.state == JobState.FAILED
    data = {
        "assetType": _NOUNS[job.queue],
        "brandName": job.name,
        "retryUrl" if failed else "dashboardUrl": f"{core.settings.public_address}/g/job/{job.id}",
    }
    once = f"{job.group_id or job.id}/{job.queue}/{'failed' if failed else 'ready'}"
    await _send(core, signer, job, "generation-failed" if failed else "generation-ready", data, once)


async def _send_of_kit(core: Core, signer: Signer, kit: KitNews) -> None:
    page = f"{core.settings.public_address}/g/kit/{kit.id}"
    if kit.state == "done":
        template, data = "generation-ready", {"assetType": "whole brand", "dashboardUrl": page}
    else:
        template, data = "kit-waiting", {"message": kit.message, "kitUrl": page}
    await _send(core, signer, kit, template, {**data, "brandName": kit.name}, f"{kit.id}/{kit.state}")


async def _send(
    core: Core, signer: Signer, about: EndedJob | KitNews, template: str, data: dict[str, str], once: str
) -> None:
    """once: two mails that say the same have the same."""
    off = f"{core.settings.public_address}/mails/{signer.mails_token(about.user_id)}"
    payload = {
        "to": about.email,
        "userId": about.user_id,
        "template": template,
        "data": {**data, "name": about.email.split("@")[0], "offUrl": off},
    }
    await dispatch(core, "email-send", payload, job_id=f"email-send-{uuid5(NAMESPACE_URL, once)}")
