"""A job's pictures for whoever holds its link, until the link ends: nothing about its owner, and nothing to press."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bmn.db import assets, brands, jobs
from bmn.db.engine import Connection
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.server.dependencies import Res
from bmn.server.pages import pieces, words
from bmn.server.pages.access import PageRoute
from bmn.server.pages.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/s/{token}")
async def shared(request: Request, token: str, res: Res) -> Response:
    """What a shared link shows, to whoever has it."""
    job_id, until = res.signer.shared_job(token[:400])
    signer = res.signer.ending(until)

    def read(conn: Connection) -> dict[str, Any]:
        job = jobs.get_job(conn, job_id)
        name = brands.names(conn, [job.brand_id]).get(job.brand_id, "")
        made = pieces.in_order(assets.list_of_job(conn, job_id), signer, name)
        return {"brand_name": name, "kind": words.KINDS.get(job.queue, "Pictures"), "pictures": made,
                "live": job.state not in TERMINAL_STATES}  # fmt: skip

    return page(request, "shared.html", until=until, **await res.core.db.read(read))
