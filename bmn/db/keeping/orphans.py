"""Objects that no row names any more, and rows whose object is not there; each question costs what it is asked about."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from bmn.db.tables import brand_assets, db_now, job_units, jobs
from bmn.schemas.payloads import TERMINAL_STATES


def known_keys(conn: Connection, keys: Iterable[str]) -> set[str]:
    """Which of these storage keys some row still names: an asset, its thumbnail, or a unit of a job that goes on."""
    wanted = list(keys)
    assets = select(brand_assets.c.storage_key).where(brand_assets.c.storage_key.in_(wanted))
    units = (
        select(job_units.c.storage_key)
        .join(jobs, jobs.c.id == job_units.c.job_id)
        .where(job_units.c.storage_key.in_(wanted), jobs.c.state.not_in(tuple(TERMINAL_STATES)))
    )
    named = {*conn.execute(assets).scalars(), *conn.execute(units).scalars()}
    thumbnails = {key for key in wanted if "/thumbnail/" in key}
    if thumbnails:
        brands = sorted({key.split("/")[1] for key in thumbnails})
        shown = select(brand_assets.c.thumbnail_url).where(
            brand_assets.c.brand_id.in_(brands), brand_assets.c.thumbnail_url.is_not(None)
        )
        named |= thumbnails & {f"brands/{str(url).rpartition('/brands/')[2]}" for url in conn.execute(shown).scalars()}
    return named


def storage_keys(conn: Connection, *, after: str, older_than: float, limit: int) -> list[str]:
    """A page of the storage keys of assets, in their order. after: the last key of the page before. older_than: seconds."""
    column = brand_assets.c.storage_key
    query = select(column).where(column > after, brand_assets.c.created_at < db_now() - older_than)
    return list(conn.execute(query.order_by(column).limit(limit)).scalars())
