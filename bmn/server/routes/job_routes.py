"""Jobs: what they are doing, why, and what their owner can do about it. A foreign job reads like an absent one."""

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bmn.db import call_store, job_store
from bmn.db.engine import Connection
from bmn.db.library import brand_store
from bmn.db.lists import groups, listing
from bmn.db.lists.listing import JobFilter, Listed
from bmn.db.records import LogLineRow
from bmn.identity.rights import Right
from bmn.jobs.cancellation import cancel
from bmn.jobs.replay import retry
from bmn.jobs.submission import uuid_of
from bmn.schemas import documents
from bmn.schemas.base import Id, Text, when
from bmn.schemas.payloads import TERMINAL_STATES, JobState
from bmn.schemas.requests import ReasonBody, RetryBody, ShareBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.bounds import narrowed
from bmn.server.access.dependencies import By, Caller, GenerationCaller, JobPath, Res, acting, is_operator, owner_filter
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker
from bmn.server.access.scope import OfEveryone, OfUser, check_words, scope_of
from bmn.server.answers import views
from bmn.server.answers.job_record import job_record
from bmn.server.answers.share_links import share_job
from bmn.server.answers.why import explain, look_into
from bmn.server.usecases.translation import check_files, strings_in
from bmn.server.usecases.waiting import MOST_SECONDS, followed, wait_for_end
from bmn.server.usecases.watched import note_watched
from bmn.work.queue_names import QUEUE_NAMES
from bmn.work.registry import QUEUES

router = APIRouter(prefix="/api/v1", tags=["jobs"], route_class=AskingRoute)

_OF_CALLER = ANY_CALLER | refusals(404)
_CHANGES = _OF_CALLER | refusals(409, 413)

Words = Annotated[Text | None, Query(max_length=200)]
Queues = Annotated[list[Text] | None, Query(max_length=len(QUEUE_NAMES))]
States = Annotated[list[JobState] | None, Query(max_length=7)]
Since = Annotated[float | None, Query(gt=0, description="seconds ago at most")]
Until = Annotated[float | None, Query(gt=0, description="seconds ago at least")]
OfGroup = Annotated[Id | None, Query(alias="groupId", description="jobs that were ordered together, such as a kit's")]
MinCost = Annotated[
    float | None, Query(alias="minCost", ge=0, le=1e6, description="USD that providers were paid at least")
]


async def chosen_jobs(
    res: Res,
    principal: Looker,
    queue: Queues = None,
    state: States = None,
    cause: Words = None,
    brand: Annotated[Id | None, Query()] = None,
    group: OfGroup = None,
    text: Words = None,
    since: Since = None,
    until: Until = None,
    min_cost: MinCost = None,
    user: OfUser = None,
    everyone: OfEveryone = False,
) -> JobFilter:
    """What the filter of a list of jobs says."""
    user_id = await scope_of(res, principal, user, everyone=everyone)
    check_words(principal, text, user_id)
    now = time.time()
    within = narrowed(principal.bounds, brand, group)
    return JobFilter(
        user_id=user_id,
        queues=tuple(queue or ()),
        states=tuple(state or ()),
        cause=cause,
        brand_id=within.brand_id,
        group_id=within.group_id,
        text=text,
        since=now - since if since else None,
        until=now - until if until else None,
        min_cost=min_cost,
        id_prefixes=within.prefixes,
    )


ChosenJobs = Annotated[JobFilter, Depends(chosen_jobs)]


@router.get("/jobs", responses=_OF_CALLER)
async def list_jobs(
    res: Res,
    principal: Looker,
    chosen: ChosenJobs,
    prefix: Annotated[str | None, Query(max_length=128, pattern=r"^[A-Za-z0-9_-]+$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> documents.JobPage:
    """Newest first. prefix: the beginning of the job's uuid, or of its whole id."""
    of_all = chosen.user_id != principal.user_id  # operators look for what collects for a cancelled job as well
    named = _prefixes(prefix) if prefix and not chosen.id_prefixes else chosen.id_prefixes
    chosen = replace(chosen, id_prefixes=named, collectors=bool(prefix) or of_all)

    def read(conn: Connection) -> tuple[Listed, dict[str | None, str], dict[str, bool]]:
        page = listing.list_jobs(conn, chosen, limit=limit, cursor=cursor)
        names = brand_store.names(conn, {row.brand_id for row in page.jobs})
        return page, names, call_store.sandboxed(conn, [row.id for row in page.jobs])

    page, names, sandboxed = await res.core.db.read(read)
    shown = [
        views.job(row, res.signer, names.get(row.brand_id), sandboxed=sandboxed.get(row.id, False)) for row in page.jobs
    ]
    return views.shown(
        documents.JobPage(
            jobs=shown,
            next_cursor=page.cursor,
            total=page.total,
            total_is_exact=page.is_exact,
            searched_to=None if page.searched_to is None else when(page.searched_to),
        ),
        principal,
    )


@router.get("/jobs/groups", responses=_OF_CALLER)
async def group_jobs(
    res: Res,
    principal: Looker,
    chosen: ChosenJobs,
    by: groups.GroupBy = "cause",
) -> documents.JobGroups:
    """How many jobs of a filter have the same cause, queue, user or hour, and what they cost; of the newest 10,000."""
    found = await res.core.db.read(lambda conn: groups.group_jobs(conn, chosen, by))
    return documents.JobGroups(
        by=by,
        groups=[views.job_group(group) for group in found.groups],
        searched_to=when(found.searched_to),
    )


def _prefixes(given: str) -> tuple[str, ...]:
    """What an id may begin with: a whole id's beginning, or the uuid's behind the name of its queue."""
    lowered = given.lower()
    return (lowered, *(f"{queue}-{lowered}" for queue in QUEUES))


@router.get(
    "/jobs/{job_id}",
    responses=_OF_CALLER | {202: {"model": documents.JobRecord, "description": "`wait` has passed; the job goes on"}},
)
async def show(
    job_id: JobPath,
    res: Res,
    principal: Looker,
    response: Response,
    wait: Annotated[int | None, Query(ge=0, le=MOST_SECONDS, description="seconds to wait for its end")] = None,
) -> documents.JobRecord:
    """Everything known about a job. With `wait`, when it has ended; 202 where it has not by then."""
    owner, operator = owner_filter(principal, Right.SEE), is_operator(res, principal)
    record = await res.core.db.read(lambda conn: job_record(conn, res.signer, job_id, owner, operator=operator))
    if record.state in TERMINAL_STATES:
        await note_watched(res.core.redis, job_id, principal, record.user_id)
    if wait is None or record.state in TERMINAL_STATES:
        return views.shown(record, principal)
    async with followed(res, principal.counted_as):
        response.status_code = 200 if await wait_for_end(res, job_id, wait) else 202
    if response.status_code == 200:
        await note_watched(res.core.redis, job_id, principal, record.user_id)
    await res.auth.current(principal)  # a key may have been revoked meanwhile
    record = await res.core.db.read(lambda conn: job_record(conn, res.signer, job_id, owner, operator=operator))
    return views.shown(record, principal)


@router.get("/jobs/{job_id}/why", responses=_OF_CALLER)
async def why(job_id: JobPath, res: Res, principal: Looker) -> documents.Why:
    """In plain words, why the job is where it is, what it cost, and what to do."""
    facts = await look_into(res, job_id, principal)
    return views.shown(explain(facts), principal, owner=facts.job.user_id)


@router.get("/jobs/{job_id}/logs", responses=_OF_CALLER)
async def logs(
    job_id: JobPath,
    res: Res,
    principal: Looker,
    after: Annotated[int, Query(ge=0, le=2**62, description="the id of the last line one has")] = 0,
    attempt: Annotated[int | None, Query(ge=0, le=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> documents.JobLogs:
    """The job's log lines, oldest first."""

    def read(conn: Connection) -> tuple[str | None, list[LogLineRow]]:
        job = job_store.get_job(conn, job_id, owner_filter(principal, Right.SEE))
        return job.user_id, job_store.logs(conn, job_id, after=after, attempt=attempt, limit=limit)

    owner, rows = await res.core.db.read(read)
    operator = is_operator(res, principal)
    lines = documents.JobLogs(logs=[views.log_line(row, operator=operator) for row in rows])
    return views.shown(lines, principal, owner=owner)


@router.post("/jobs/{job_id}/cancel", responses=_CHANGES)
async def cancel_job(
    job_id: JobPath, res: Res, principal: Caller, by: By, body: ReasonBody | None = None
) -> documents.Cancellation:
    """409 for a job that has ended."""
    answer = await cancel(
        res.core,
        job_id,
        by,
        user_id=owner_filter(principal, Right.OPERATE),
        reason=(body or ReasonBody()).reason,
    )
    return documents.Cancellation(
        job_id=job_id,
        state=answer.state,
        message=answer.message,
        credits_charged=answer.charged,
        credits_refunded=answer.refunded,
        collector_job_id=answer.collector,
    )


@router.post("/jobs/{job_id}/retry", status_code=202, responses=_CHANGES | refusals(402))
async def retry_job(
    job_id: JobPath, request: Request, res: Res, principal: GenerationCaller, body: RetryBody | None = None
) -> documents.Retried:
    """A new job that names this one as its parent and keeps what it finished.

    409 where the state forbids it, and where it was started again already: it happens once, so no key is needed.
    """
    asked = body or RetryBody()
    await check_files(res, principal, strings_in(asked.changes))
    replay = await retry(
        res.core,
        job_id,
        acting(principal, request),
        user_id=owner_filter(principal, Right.ADMINISTER if asked.changes else Right.OPERATE),
        changes=asked.changes,
        reason=asked.reason,
    )
    assert replay.job_id is not None  # a refused one raises
    return documents.Retried(
        job_id=replay.job_id,
        parent_id=job_id,
        queue_name=replay.job_id.removesuffix(f"-{uuid_of(replay.job_id)}"),
        credits=replay.credits,
        message=f"Started again as {replay.job_id}.",
    )


@router.post("/jobs/{job_id}/share", responses=_OF_CALLER | refusals(413))
async def share(job_id: JobPath, res: Res, principal: Caller, body: ShareBody | None = None) -> documents.ShareLink:
    """A link that shows the job and its pictures to whoever holds it, until it ends."""
    return await share_job(res, principal, job_id, (body or ShareBody()).hours * 3600)
