"""Assets: one row per picture or video that is stored. Ownership is the brand's."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, union, update

from bmn.db.lists.paging import read_cursor, write_cursor
from bmn.db.prepared import Prepared
from bmn.db.records import BrandAssetRow, NewAsset
from bmn.db.tables import brand_assets, brands, job_units, jobs
from bmn.errors import NotFound

# Built once: building a statement costs more than the database needs to run it.
_ADD = Prepared(insert(brand_assets).returning(*brand_assets.c))


def add(conn: Connection, asset: NewAsset) -> BrandAssetRow:
    """Stores an asset's row. Raises IntegrityError where the storage key is taken."""
    return BrandAssetRow.from_row(_ADD.one(conn, asdict(asset)))


def get(conn: Connection, asset_id: str, user_id: str | None = None) -> BrandAssetRow:
    """One asset; with a user id only if its brand is theirs. Raises NotFound, the same for absent and foreign."""
    query = select(brand_assets).where(brand_assets.c.id == asset_id)
    if user_id is not None:
        query = query.join(brands, brands.c.id == brand_assets.c.brand_id).where(brands.c.user_id == user_id)
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("Asset not found")
    return BrandAssetRow.from_row(row)


def list_of_brand(
    conn: Connection, brand_id: str, *, asset_type: str | None = None, limit: int = 100, cursor: str | None = None
) -> tuple[list[BrandAssetRow], str | None]:
    """A brand's assets, newest first, and the cursor of the next page."""
    query = select(brand_assets).where(brand_assets.c.brand_id == brand_id)
    if asset_type is not None:
        query = query.where(brand_assets.c.asset_type == asset_type)
    if cursor:
        at, last_id = read_cursor(cursor)
        column = brand_assets.c
        query = query.where(or_(column.created_at < at, and_(column.created_at == at, column.id < last_id)))
    query = query.order_by(brand_assets.c.created_at.desc(), brand_assets.c.id.desc()).limit(limit + 1)
    found = [BrandAssetRow.from_row(row) for row in conn.execute(query)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], write_cursor(last.created_at, last.id) if last else None


def selected_of_brand(conn: Connection, brand_id: str) -> list[BrandAssetRow]:
    """The chosen asset of each type, newest first, however old they are."""
    query = select(brand_assets).where(brand_assets.c.brand_id == brand_id, brand_assets.c.is_selected == 1)
    newest = (brand_assets.c.created_at.desc(), brand_assets.c.id.desc())
    return [BrandAssetRow.from_row(row) for row in conn.execute(query.order_by(*newest))]


def logo_of(conn: Connection, brand_id: str) -> BrandAssetRow | None:
    """The chosen logo of a brand, else its newest."""
    chosen = [row for row in selected_of_brand(conn, brand_id) if row.asset_type == "logo"]
    found = chosen or list_of_brand(conn, brand_id, asset_type="logo", limit=1)[0]
    return found[0] if found else None


def number_of(conn: Connection, asset: BrandAssetRow) -> int:
    """Its number among all of its brand and type, the oldest first."""
    column = brand_assets.c
    older = or_(
        column.created_at < asset.created_at, and_(column.created_at == asset.created_at, column.id <= asset.id)
    )
    of_kind = (column.brand_id == asset.brand_id, column.asset_type == asset.asset_type)
    return int(conn.execute(select(func.count()).where(*of_kind, older)).scalar_one())


def counts_of_brand(conn: Connection, brand_id: str) -> dict[str, int]:
    """How many assets a brand has of each type."""
    query = select(brand_assets.c.asset_type, func.count()).where(brand_assets.c.brand_id == brand_id)
    return {kind: int(number) for kind, number in conn.execute(query.group_by(brand_assets.c.asset_type))}


def list_of_job(conn: Connection, job_id: str) -> list[BrandAssetRow]:
    """What a job has delivered, oldest first; a replay's includes what its parent had finished."""
    # Two look-ups by an index: for an OR of both PostgreSQL reads the whole table.
    inherited = select(job_units.c.asset_id).where(job_units.c.job_id == job_id, job_units.c.state == "saved")
    own = select(brand_assets.c.id).where(brand_assets.c.job_id == job_id)
    delivered = union(own, select(brand_assets.c.id).where(brand_assets.c.id.in_(inherited)))
    query = (
        select(brand_assets)
        .where(brand_assets.c.id.in_(delivered))
        .order_by(brand_assets.c.created_at, brand_assets.c.storage_key)
    )
    return [BrandAssetRow.from_row(row) for row in conn.execute(query)]


def made_by(conn: Connection, job_ids: Collection[str]) -> dict[str, list[BrandAssetRow]]:
    """What each of these jobs has made itself, oldest first, by its id; jobs that made nothing are left out."""
    if not job_ids:
        return {}
    query = select(brand_assets).where(brand_assets.c.job_id.in_(list(job_ids)))
    found: dict[str, list[BrandAssetRow]] = {}
    for row in conn.execute(query.order_by(brand_assets.c.created_at, brand_assets.c.storage_key)):
        found.setdefault(row.job_id, []).append(BrandAssetRow.from_row(row))
    return found


def choose(conn: Connection, asset_id: str, user_id: str) -> BrandAssetRow:
    """Makes an asset the selected one of its brand and type. Raises NotFound."""
    asset = get(conn, asset_id, user_id)
    column = brand_assets.c
    others = update(brand_assets).where(
        column.brand_id == asset.brand_id, column.asset_type == asset.asset_type, column.is_selected == 1
    )
    conn.execute(others.values(is_selected=0))
    chosen = update(brand_assets).where(column.id == asset_id).values(is_selected=1).returning(*brand_assets.c)
    return BrandAssetRow.from_row(conn.execute(chosen).one())


def set_favorite(conn: Connection, asset_id: str, user_id: str, favorite: bool) -> BrandAssetRow:
    """Marks an asset, or takes its mark away; a brand has any number of favorites. Raises NotFound."""
    get(conn, asset_id, user_id)
    marked = update(brand_assets).where(brand_assets.c.id == asset_id).values(is_favorite=int(favorite))
    return BrandAssetRow.from_row(conn.execute(marked.returning(*brand_assets.c)).one())


def some_of_brand(conn: Connection, brand_id: str, asset_ids: Iterable[str]) -> list[BrandAssetRow]:
    """Those of these assets that are the brand's, oldest first."""
    mine = (brand_assets.c.brand_id == brand_id, brand_assets.c.id.in_(list(asset_ids)))
    query = select(brand_assets).where(*mine).order_by(brand_assets.c.created_at, brand_assets.c.id)
    return [BrandAssetRow.from_row(row) for row in conn.execute(query)]


def set_thumbnail(conn: Connection, asset_id: str, brand_id: str, url: str) -> bool:
    """Notes where an asset's thumbnail is; False where the brand has no such asset (any more)."""
    mine = (brand_assets.c.id == asset_id, brand_assets.c.brand_id == brand_id)
    statement = update(brand_assets).where(*mine).values(thumbnail_url=url)
    return conn.execute(statement.returning(brand_assets.c.id)).first() is not None


def by_key(conn: Connection, storage_key: str) -> BrandAssetRow | None:
    """The asset that a stored object belongs to."""
    row = conn.execute(select(brand_assets).where(brand_assets.c.storage_key == storage_key)).first()
    return BrandAssetRow.from_row(row) if row else None


def asked_for(conn: Connection, storage_key: str, brand_id: str) -> dict[str, object] | None:
    """The payload of the job that made an object of this brand; None where nobody knows it any more."""
    made = jobs.join(brand_assets, brand_assets.c.job_id == jobs.c.id)
    query = select(jobs.c.payload).select_from(made)
    mine = (brand_assets.c.storage_key == storage_key, brand_assets.c.brand_id == brand_id)
    payload: dict[str, Any] | None = conn.execute(query.where(*mine)).scalar()
    return payload
