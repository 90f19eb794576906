"""What several doors let a caller do: routes, pages and sockets share these, and none calls another's handler."""

from fastapi import Request
from pydantic import ValidationError

from bmn.broker import redis_keys
from bmn.broker.cache import forget
from bmn.db.batches import kit_store
from bmn.db.batches.kit_store import KitRow
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow
from bmn.errors import BmnError
from bmn.events.audience import brand_updated, kit_updated
from bmn.identity.tokens import Principal
from bmn.jobs.submission import Idempotent, Submission, answered, submit
from bmn.schemas import documents
from bmn.schemas.generators.logos import LogosBody
from bmn.schemas.kind import GeneratorBody, Kind
from bmn.schemas.requests import BrandPatch
from bmn.server.access.dependencies import request_id
from bmn.server.answers import views
from bmn.server.state.resources import Resources
from bmn.server.usecases.translation import payloads_of, terms_of
from bmn.work import journey
from bmn.work.looks import Settling


async def generate(
    res: Resources, principal: Principal, kind: Kind, body: GeneratorBody, *, key: str | None, request: Request
) -> list[Submission]:
    """Submits what a generator's body asks for: all of its jobs, or none.

    key: the same key and body are one submission, and a repetition is none of its user's generations of a minute.
    Raises NotFound, NotAllowed, UsageProblem, InsufficientCredits, Conflict, TryLater.
    """
    idempotent = Idempotent.of(key, {"queue": kind.queue, "body": body.dump()}) if key else None
    try:
        payloads = await payloads_of(res, principal, kind, body)
        terms = terms_of(res.settings, principal, kind, body)
    except (BmnError, ValidationError):
        # What was accepted once is answered once more, though by now its time is past or its picture gone.
        if idempotent and (known := await answered(res.core, principal.user_id, idempotent)):
            await res.limit.give_back(request.scope)
            return known
        raise
    look = (
        Settling(res.core, principal.user_id, body.brand_id, body.new_look()) if isinstance(body, LogosBody) else None
    )
    answer = await submit(
        res.core,
        principal.user_id,
        kind.queue,
        look.plan(payloads) if look else payloads,
        idempotent=idempotent,
        request_id=request_id(request),
        terms=terms,
    )
    if answer[0].again:
        await res.limit.give_back(request.scope)
    elif look:
        await look.tell()
    return answer


async def change_brand(res: Resources, principal: Principal, brand_id: str, body: BrandPatch) -> documents.Brand:
    """Sets the fields that are given; null empties one that may be empty. Every page that shows the brand hears of it.

    Raises NotFound.
    """
    fields = body.model_dump(exclude_unset=True)
    for required in ("name", "status"):
        if fields.get(required, "") is None:
            del fields[required]
    row = await res.core.db.write(lambda conn: brand_store.change(conn, brand_id, principal.user_id, fields))
    await forget(res.core.redis, redis_keys.cache("brand", brand_id))
    view = views.brand(row)
    if fields.get("status") == "complete":
        await journey.brand_completed(res.core, principal.user_id, row)
    changed = view.model_dump(mode="json", include=set(fields), by_alias=True)
    res.core.outbox.send(brand_updated(principal.user_id, brand_id, name, value) for name, value in changed.items())
    return view


async def choose_asset(res: Resources, principal: Principal, asset_id: str) -> BrandAssetRow:
    """Makes an asset the selected one of its brand and type, for every page that shows the brand. Raises NotFound.

    Kits that wait for a logo of this brand go on with it.
    """

    def choose(conn: Connection) -> tuple[BrandAssetRow, list[KitRow]]:
        row = asset_store.choose(conn, asset_id, principal.user_id)
        return row, kit_store.note_pick(conn, row.brand_id, row.id) if row.asset_type == "logo" else []

    row, waiting = await res.core.db.write(choose)
    field = f"selected:{row.asset_type}"
    picked = brand_updated(principal.user_id, row.brand_id, field, row.id)
    res.core.outbox.send([picked, *map(kit_updated, waiting)])
    return row
