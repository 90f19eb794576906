"""Whether what somebody asks about is what their browser's token is for. Anything else reads like something absent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from bmn.db import job_store
from bmn.db.batches import kit_store
from bmn.db.engine import Connection, Database
from bmn.db.library import asset_store
from bmn.errors import NotFound
from bmn.identity.browser import BoundKind, Bounds
from bmn.identity.tokens import Principal
from bmn.schemas.base import Model

_ASSET = "asset"
_NARROWED = "/api/v1/jobs"  # names nothing: its filter is narrowed by the route itself
_WORDS = {
    BoundKind.JOB: "Job not found",
    BoundKind.BRAND: "Brand not found",
    BoundKind.GROUP: "Kit not found",
    _ASSET: "Asset not found",
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that a request names. kind: one of `BoundKind`, or `asset`."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a list of jobs is of. prefixes: of the ids, any one of them."""

    brand_id: str | None
    group_id: str | None
    prefixes: tuple[str, ...] = ()


def named_by(request: HTTPConnection) -> list[Named]:
    """What a request is about. Raises NotFound where it names nothing, so that a route that was forgotten shows nothing."""
    params = request.path_params
    found = [Named(kind, params[name]) for name, kind in _PARAMETERS.items() if name in params]
    found += [Named(BoundKind.JOB, text.partition(":")[0]) for text in request.query_params.getlist("job")]
    if not found and request.url.path != _NARROWED:
        raise NotFound("There is nothing here.")
    return found


_PARAMETERS = {
    "job_id": BoundKind.JOB,
    "brand_id": BoundKind.BRAND,
    "asset_id": _ASSET,
    "kit_id": BoundKind.GROUP,
    "group_id": BoundKind.GROUP,
}


def named_in(asked: Model) -> list[Named]:
    """The same of a socket's message."""
    return [Named(kind, getattr(asked, name)) for name, kind in _PARAMETERS.items() if hasattr(asked, name)]


async def keep_within(db: Database, principal: Principal, things: Sequence[Named]) -> None:
    """Raises NotFound where one of these things is beyond the bounds of a caller, if they have any."""
    bounds = principal.bounds
    if bounds is None:
        return

    def check(conn: Connection) -> None:
        for each in things:
            check_within(conn, bounds, each.kind, each.id)

    await db.read(check)


def check_within(conn: Connection, bounds: Bounds | None, kind: str, name: str) -> None:
    """Raises NotFound where a thing is beyond these bounds. Whose it is, is looked at elsewhere."""
    if bounds is not None and not (_ID.fullmatch(name) and _is_within(conn, bounds, kind, name.lower())):
        raise NotFound(_WORDS.get(kind, "There is nothing here."))


def _is_within(conn: Connection, bounds: Bounds, kind: str, name: str) -> bool:
    if kind == bounds.kind:
        return name == bounds.id
    if kind == BoundKind.JOB:
        return _holds_job(conn, bounds, name)
    if kind == _ASSET:
        asset = asset_store.get(conn, name)
        if bounds.kind is BoundKind.BRAND:
            return asset.brand_id == bounds.id
        return asset.job_id is not None and _holds_job(conn, bounds, asset.job_id)
    return (
        kind == BoundKind.GROUP and bounds.kind is BoundKind.BRAND and kit_store.get(conn, name).brand_id == bounds.id
    )


def _holds_job(conn: Connection, bounds: Bounds, job_id: str) -> bool:
    if bounds.kind is BoundKind.JOB:
        return job_id == bounds.id
    job = job_store.get_job(conn, job_id)
    return bounds.id == (job.group_id if bounds.kind is BoundKind.GROUP else job.brand_id)


def narrowed(bounds: Bounds | None, brand_id: str | None, group_id: str | None) -> Narrowed:
    """What a list of jobs is held to. Raises NotFound for another brand's or group's."""
    if bounds is None:
        return Narrowed(brand_id, group_id)
    if bounds.kind is BoundKind.JOB:
        return Narrowed(brand_id, group_id, (bounds.id,))
    if (group_id if bounds.kind is BoundKind.GROUP else brand_id) not in (None, bounds.id):
        raise NotFound(_WORDS[bounds.kind])
    return Narrowed(brand_id, bounds.id) if bounds.kind is BoundKind.GROUP else Narrowed(bounds.id, group_id)
