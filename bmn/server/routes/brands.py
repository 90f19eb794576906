"""Brands, and what belongs to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from bmn.broker import keys
from bmn.broker.cache import cached, forget
from bmn.db import assets, brands
from bmn.errors import NotFound
from bmn.events.audience import brand_updated
from bmn.schemas.base import Name
from bmn.schemas.payloads import AssetType
from bmn.schemas.requests import BrandBody, BrandPatch
from bmn.server import views
from bmn.server.dependencies import AssetPath, BrandPath, Caller, Res, owner_filter
from bmn.work import journey

router = APIRouter(prefix="/api/v1", tags=["brands"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.post("/brands", status_code=201)
async def create(body: BrandBody, res: Res, principal: Caller) -> JSONResponse:
    row = await res.core.db.write(
        lambda conn: brands.create(conn, principal.user_id, body.model_dump(exclude_none=True))
    )
    return JSONResponse(views.brand(row), 201)


@router.get("/brands")
async def list_brands(
    res: Res, principal: Caller, name: Annotated[Name | None, Query()] = None, limit: Limit = 100, cursor: Cursor = None
) -> JSONResponse:
    """The caller's brands, newest first. name: the whole name, in upper or lower case."""
    rows, further = await res.core.db.read(
        lambda conn: brands.list_of_user(conn, principal.user_id, name=name, limit=limit, cursor=cursor)
    )
    return JSONResponse({"brands": [views.brand(row) for row in rows], "nextCursor": further})


@router.get("/brands/{brand_id}")
async def show(brand_id: BrandPath, res: Res, principal: Caller) -> JSONResponse:
    async def load() -> dict[str, Any]:
        row = await res.core.db.read(lambda conn: brands.get(conn, brand_id))
        return {"owner": row["user_id"], "view": views.brand(row)}

    found = await cached(res.core.redis, keys.cache("brand", brand_id), keys.CACHE_SECONDS, load)
    if owner_filter(principal) not in (None, found["owner"]):
        raise NotFound("Brand not found")
    return JSONResponse(found["view"])


@router.patch("/brands/{brand_id}")
async def change(brand_id: BrandPath, body: BrandPatch, res: Res, principal: Caller) -> JSONResponse:
    """Only the fields that are given change; null empties one that may be empty."""
    fields = body.model_dump(exclude_unset=True)
    for required in ("name", "status"):
        if fields.get(required, "") is None:
            del fields[required]
    row = await res.core.db.write(lambda conn: brands.change(conn, brand_id, principal.user_id, fields))
    await forget(res.core.redis, keys.cache("brand", brand_id))
    view = views.brand(row)
    if fields.get("status") == "complete":
        await journey.brand_completed(res.core, principal.user_id, row)
    names = [str(BrandPatch.model_fields[field].alias) for field in fields]
    res.core.outbox.send(brand_updated(principal.user_id, brand_id, name, view[name]) for name in names)
    return JSONResponse(view)


@router.get("/brands/{brand_id}/assets")
async def list_assets(
    brand_id: BrandPath,
    res: Res,
    principal: Caller,
    kind: Annotated[AssetType | None, Query(alias="type")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JSONResponse:
    def read(conn: Any) -> tuple[list[dict[str, Any]], str | None]:
        brands.get(conn, brand_id, owner_filter(principal))
        return assets.list_of_brand(conn, brand_id, asset_type=kind, limit=limit, cursor=cursor)

    rows, further = await res.core.db.read(read)
    return JSONResponse({"assets": [views.asset(row, res.signer) for row in rows], "nextCursor": further})


@router.get("/assets/{asset_id}")
async def show_asset(asset_id: AssetPath, res: Res, principal: Caller) -> JSONResponse:
    row = await res.core.db.read(lambda conn: assets.get(conn, asset_id, owner_filter(principal)))
    return JSONResponse(views.asset(row, res.signer))


@router.post("/assets/{asset_id}/select")
async def select(asset_id: AssetPath, res: Res, principal: Caller) -> JSONResponse:
    """Makes an asset the chosen one of its brand and type."""
    row = await res.core.db.write(lambda conn: assets.choose(conn, asset_id, principal.user_id))
    field = f"selected:{row['asset_type']}"
    res.core.outbox.send([brand_updated(principal.user_id, row["brand_id"], field, row["id"])])
    return JSONResponse(views.asset(row, res.signer))
