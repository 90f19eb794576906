"""`/admin/jobs`: everybody's jobs by the command line's filters, what they have in common, and what is done to many."""

import asyncio
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.lists.groups import GroupBy
from bmn.errors import Cause
from bmn.identity.rights import Right
from bmn.schemas.documents import Job
from bmn.schemas.payloads import JobState
from bmn.server.access.dependencies import Res, owner_filter
from bmn.server.access.revealing import Onlooker
from bmn.server.access.scope import SAY_WHY
from bmn.server.operators.admin_view import SPANS, view_of
from bmn.server.operators.frame import show
from bmn.server.pages import pieces
from bmn.server.pages.access import PageRoute
from bmn.server.routes import job_routes
from bmn.server.state.resources import Resources
from bmn.work.registry import QUEUES

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_SHOWN = 40
_GROUPS = 8
_PICTURES = 4


@router.get("/admin/jobs")
async def list_jobs(request: Request, res: Res, visitor: Onlooker) -> Response:
    """The jobs of a view."""
    view = view_of(request)
    if view.text and not visitor.reveals and visitor.may(Right.REVEAL) and view.user != visitor.user_id:
        return show(request, visitor, "jobs_why.html", "jobs", 403, view=view, problem=SAY_WHY)
    chosen = await view.chosen(res, visitor)
    found, groups = await asyncio.gather(
        job_routes.list_jobs(res, visitor, chosen, prefix=view.prefix, limit=_SHOWN, cursor=view.cursor),
        job_routes.group_jobs(res, visitor, chosen, view.by),
    )
    return show(
        request,
        visitor,
        "jobs.html",
        "jobs",
        view=view,
        found=found,
        groups=groups.groups[:_GROUPS],
        further=len(groups.groups) - _GROUPS,
        counted_to=groups.searched_to,
        most=max((group.jobs for group in groups.groups), default=1),
        pictures=await _pictures(res, [job for job in found.jobs if owner_filter(visitor) in (None, job.user_id)]),
        states=list(JobState),
        queues=list(QUEUES),
        causes=sorted(cause.value for cause in Cause),
        ways=get_args(GroupBy),
        spans=SPANS,
    )


async def _pictures(res: Resources, found: list[Job]) -> dict[str, list[pieces.PagePicture]]:
    """The first of what each job has made, by its id."""

    def read(conn: Connection) -> dict[str, list[pieces.PagePicture]]:
        made = asset_store.made_by(conn, [job.job_id for job in found])
        names = brand_store.names(conn, {row.brand_id for rows in made.values() for row in rows})
        return {
            job_id: pieces.in_order(rows, res.signer, names.get(rows[0].brand_id, ""))[:_PICTURES]
            for job_id, rows in made.items()
        }

    return await res.core.db.read(read)
