"""Pictures for whoever holds their link, until it ends: nothing about their owner, and nothing to press."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bmn.db import job_store
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.server.access.dependencies import Res
from bmn.server.answers.share_links import visit_share
from bmn.server.pages import page_words, pieces
from bmn.server.pages.access import PageRoute
from bmn.server.pages.rendering import page
from bmn.signing import Signer

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/s/{token}")
async def shared(request: Request, token: str, res: Res) -> Response:
    """What a shared link shows, to whoever has it: a job, live while it runs, or pictures that were chosen."""
    shown = await visit_share(res, token, request.scope)
    signer = res.signer.ending(shown.until)

    def read(conn: Connection) -> dict[str, Any]:
        if shown.job_id is not None:
            return _job(conn, shown.job_id, signer)
        return _chosen(conn, shown.asset_ids, signer)

    return page(request, "shared.html", until=shown.until, token=token, **await res.core.db.read(read))


def _job(conn: Connection, job_id: str, signer: Signer) -> dict[str, Any]:
    job = job_store.get_job(conn, job_id)
    name = brand_store.names(conn, [job.brand_id]).get(job.brand_id, "")
    made = pieces.in_order(asset_store.list_of_job(conn, job_id), signer, name)
    return {"brand_name": name, "kind": page_words.KINDS.get(job.queue, "Pictures"), "pictures": made,
            "live": job.state not in TERMINAL_STATES, "progress": job.progress}  # fmt: skip


def _chosen(conn: Connection, asset_ids: tuple[str, ...], signer: Signer) -> dict[str, Any]:
    rows = [asset_store.get(conn, each) for each in asset_ids]
    name = brand_store.names(conn, [rows[0].brand_id])[rows[0].brand_id]
    made = [pieces.picture(row, signer, name, asset_store.number_of(conn, row)) for row in rows]
    return {"brand_name": name, "kind": "A selection", "pictures": made, "live": False}
