"""Brands, and what belongs to them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bmn.broker import redis_keys
from bmn.broker.cache import cached
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow
from bmn.errors import NotFound
from bmn.schemas import documents
from bmn.schemas.base import Name
from bmn.schemas.generators import AssetType
from bmn.schemas.look import BrandBody
from bmn.schemas.requests import BrandPatch
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import AssetPath, BrandPath, Caller, Res, owner_filter
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.revealing import Looker
from bmn.server.answers import views
from bmn.server.usecases.actions import change_brand, choose_asset

router = APIRouter(prefix="/api/v1", tags=["brands"], responses=ANY_CALLER, route_class=AskingRoute)

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.post("/brands", status_code=201, responses=refusals(413))
async def create(body: BrandBody, res: Res, principal: Caller) -> documents.Brand:
    """A new brand. Generators take what its record says as their defaults."""
    row = await res.core.db.write(
        lambda conn: brand_store.create(conn, principal.user_id, body.model_dump(exclude_none=True))
    )
    return views.brand(row)


@router.get("/brands")
async def list_brands(
    res: Res, principal: Caller, name: Annotated[Name | None, Query()] = None, limit: Limit = 100, cursor: Cursor = None
) -> documents.BrandPage:
    """The caller's brands, newest first. name: the whole name, in upper or lower case."""
    rows, further = await res.core.db.read(
        lambda conn: brand_store.list_of_user(conn, principal.user_id, name=name, limit=limit, cursor=cursor)
    )
    return documents.BrandPage(brands=[views.brand(row) for row in rows], next_cursor=further)


class _Owned(BaseModel):
    """A brand in the cache, and whose it is."""

    owner: str
    view: documents.Brand


@router.get("/brands/{brand_id}", responses=refusals(404))
async def show(brand_id: BrandPath, res: Res, principal: Looker) -> documents.Brand:
    """One brand of the caller's."""

    async def load() -> _Owned:
        row = await res.core.db.read(lambda conn: brand_store.get(conn, brand_id))
        return _Owned(owner=row.user_id, view=views.brand(row))

    found = await cached(res.core.redis, redis_keys.cache("brand", brand_id), redis_keys.CACHE_SECONDS, _Owned, load)
    if owner_filter(principal) not in (None, found.owner):
        raise NotFound("Brand not found")
    return found.view


@router.patch("/brands/{brand_id}", responses=refusals(404, 413))
async def change(brand_id: BrandPath, body: BrandPatch, res: Res, principal: Caller) -> documents.Brand:
    """Only the fields that are given change; null empties one that may be empty."""
    return await change_brand(res, principal, brand_id, body)


@router.get("/brands/{brand_id}/assets", responses=refusals(404))
async def list_assets(
    brand_id: BrandPath,
    res: Res,
    principal: Looker,
    kind: Annotated[AssetType | None, Query(alias="type")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> documents.AssetPage:
    """A brand's pictures and videos, newest first."""

    def read(conn: Connection) -> tuple[list[BrandAssetRow], str | None]:
        brand_store.get(conn, brand_id, owner_filter(principal))
        return asset_store.list_of_brand(conn, brand_id, asset_type=kind, limit=limit, cursor=cursor)

    rows, further = await res.core.db.read(read)
    return documents.AssetPage(assets=[views.asset(row, res.signer) for row in rows], next_cursor=further)


@router.get("/assets/{asset_id}", responses=refusals(404))
async def show_asset(asset_id: AssetPath, res: Res, principal: Looker) -> documents.Asset:
    """One picture or video of a brand of the caller's."""
    row = await res.core.db.read(lambda conn: asset_store.get(conn, asset_id, owner_filter(principal)))
    return views.asset(row, res.signer)


@router.post("/assets/{asset_id}/select", responses=refusals(404))
async def select(asset_id: AssetPath, res: Res, principal: Caller) -> documents.Asset:
    """Makes an asset the chosen one of its brand and type."""
    return views.asset(await choose_asset(res, principal, asset_id), res.signer)
