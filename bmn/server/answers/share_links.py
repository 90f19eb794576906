"""Links that show what was made to whoever holds them: making one, and what one shows now."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Scope

from bmn.db import job_store
from bmn.db import records as rows
from bmn.db.accounts import share_store
from bmn.db.engine import Connection
from bmn.db.health.clock import now
from bmn.db.library import asset_store, brand_store
from bmn.errors import NotFound
from bmn.identity.tokens import Principal
from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.server.access.dependencies import owner_filter
from bmn.server.answers import views
from bmn.server.state.resources import Resources

_LONGEST = 700  # of a link of an earlier release, with twenty pictures in it


@dataclass(frozen=True, slots=True)
class OpenShare:
    """What a link shows: a job, or pictures. name: of the link, to count who follows it. until: seconds since 1970."""

    name: str
    until: float
    job_id: str | None = None
    asset_ids: tuple[str, ...] = ()


async def share_assets(
    res: Resources, principal: Principal, brand_id: str, asset_ids: Sequence[str], seconds: int
) -> documents.ShareLink:
    """A link that shows these pictures of one brand to whoever holds it, until it expires. Raises NotFound."""

    def make(conn: Connection) -> rows.ShareRow:
        brand_store.get(conn, brand_id, principal.user_id)
        found = [row.id for row in asset_store.some_of_brand(conn, brand_id, asset_ids)]
        if not found:
            raise NotFound("None of these pictures is there.")
        return share_store.add(conn, principal.user_id, brand_id, now(conn) + seconds, asset_ids=found)

    return _link(res, await res.core.db.write(make))


async def share_job(res: Resources, principal: Principal, job_id: str, seconds: int) -> documents.ShareLink:
    """A link that shows a job to whoever holds it, until it expires. Raises NotFound."""

    def make(conn: Connection) -> rows.ShareRow:
        brand_id = job_store.get_job(conn, job_id, owner_filter(principal)).brand_id
        return share_store.add(conn, principal.user_id, brand_id, now(conn) + seconds, job_id=job_id)

    return _link(res, await res.core.db.write(make))


def address_of(res: Resources, share: rows.ShareRow) -> tuple[str, str]:
    """The token of a share, and the page that it opens."""
    token = res.signer.share(share.id, share.expires_at)
    return token, f"{res.settings.public_address}/s/{token}"


def _link(res: Resources, share: rows.ShareRow) -> documents.ShareLink:
    token, url = address_of(res, share)
    return documents.ShareLink(id=share.id, url=url, token=token, expires_at=when(share.expires_at))


async def visit_share(res: Resources, token: str, scope: Scope) -> OpenShare:
    """What a link shows to a request, which is counted by the link: whoever holds it needs no token.

    Raises NotFound for one that was forged, has ended, or was withdrawn, and RateLimited.
    """
    shown = await open_share(res, token)
    await res.limit.check_view(shown.name, scope)
    return shown


async def open_share(res: Resources, token: str) -> OpenShare:
    """The same for who has been counted."""
    token = token[:_LONGEST]
    if (share_id := res.signer.share_id(token)) is not None:
        row = await res.core.db.read(lambda conn: share_store.open_one(conn, share_id))
        return OpenShare(f"share {row.id}", row.expires_at, row.job_id, row.asset_ids)
    if (chosen := res.signer.shared_assets(token)) is not None:  # of an earlier release, which kept no row of it
        return OpenShare(token[:40], chosen[1], asset_ids=tuple(chosen[0]))
    job_id, until = res.signer.shared_job(token)
    return OpenShare(f"share of {job_id}", until, job_id)


async def shared_job(res: Resources, shown: OpenShare) -> documents.SharedJob:
    """The job that a link shows, as it is now. Raises NotFound, also for a link that shows pictures."""
    job_id = shown.job_id
    if job_id is None:
        raise NotFound("This link shows pictures, and no job.")
    signer = res.signer.ending(shown.until)

    def read(conn: Connection) -> documents.SharedJob:
        row = job_store.get_job(conn, job_id)
        names = brand_store.names(conn, [row.brand_id])
        return documents.SharedJob(
            job_id=row.id,
            queue_name=row.queue,
            state=row.state,
            progress=row.progress,
            brand_name=names.get(row.brand_id),
            created_at=when(row.created_at),
            assets=[views.shared_asset(asset, signer) for asset in asset_store.list_of_job(conn, job_id)],
        )

    return await res.core.db.read(read)
