"""API keys, and the log of what people have done: for admins, and to look at for operators."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Query

from bmn.db.accounts import api_keys, audit_store
from bmn.db.accounts.audit_store import AuditFilter
from bmn.db.engine import Connection
from bmn.db.records import ApiKeyRow, AuditRow
from bmn.identity.key_format import mint_key, new_row
from bmn.schemas import documents
from bmn.schemas.base import Text
from bmn.schemas.requests import KeyBody, ReasonBody
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import By, Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker
from bmn.server.answers import operator_views, views

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], responses=ANY_CALLER, route_class=AskingRoute)

KeyPath = Annotated[Text, Path(max_length=32)]
Words = Annotated[Text | None, Query(max_length=256)]


@router.post("/keys", status_code=201, responses=refusals(413))
async def create_key(body: KeyBody, res: Res, by: By) -> documents.MadeKey:
    """A new key. `key` signs in as its role until it expires or is revoked; it is shown this once and kept nowhere."""
    minted = mint_key()
    new = new_row(minted, body.name, body.role, body.user_id or str(by), body.expires_in)
    row = await res.core.db.write(lambda conn: api_keys.create(conn, new, by=by, reason=body.reason))
    return documents.MadeKey(**dict(operator_views.api_key(row)), key=minted.text)


@router.get("/keys")
async def list_keys(
    res: Res, principal: Caller, ended: Annotated[bool, Query(description="revoked and expired ones, too")] = False
) -> documents.Keys:
    """The newest two hundred, newest first."""
    rows = await res.core.db.read(lambda conn: api_keys.listed(conn, ended=ended))
    return documents.Keys(keys=[operator_views.api_key(row) for row in rows])


@router.post("/keys/{key}/revoke", responses=refusals(404, 413))
async def revoke_key(key: KeyPath, res: Res, by: By, body: ReasonBody | None = None) -> documents.KeyRecord:
    """Ends a key for good: requests at once, sockets and streams within seconds."""
    reason = (body or ReasonBody()).reason
    return operator_views.api_key(
        await res.core.db.write(lambda conn: api_keys.revoke(conn, key, by=by, reason=reason))
    )


@router.get("/audit")
async def list_audit(
    res: Res,
    principal: Looker,
    actor: Words = None,
    action: Words = None,
    subject: Words = None,
    key: Words = None,
    since: Annotated[float | None, Query(gt=0, description="seconds ago at most")] = None,
    until: Annotated[float | None, Query(gt=0, description="seconds ago at least")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=18, pattern=r"^[0-9]+$")] = None,
) -> documents.AuditPage:
    """Who did what, when, why and from where, newest first. action: whole, or up to a dot, as `job` or `job.replay`."""
    now = time.time()
    chosen = AuditFilter(actor, action, subject, key, now - since if since else None, now - until if until else None)

    def read(conn: Connection) -> tuple[list[AuditRow], dict[str, ApiKeyRow], dict[str, str]]:
        rows = audit_store.listed(conn, chosen, limit=limit + 1, before=int(cursor) if cursor else None)
        return rows, api_keys.named(conn, {row.key_id for row in rows if row.key_id}), audit_store.owners(conn, rows)

    rows, keys, owners = await res.core.db.read(read)
    shown = rows[:limit]
    entries = [
        operator_views.audit_entry(row, owners.get(row.subject), keys[row.key_id].name if row.key_id in keys else None)
        for row in shown
    ]
    return documents.AuditPage(
        entries=[views.shown(entry, principal, owner=entry.on_behalf_of or entry.actor) for entry in entries],
        next_cursor=str(shown[-1].id) if len(rows) > limit else None,
    )
