"""Brings a picture home from an allowed address, or makes the thumbnail of an object that is already ours."""

from uuid import NAMESPACE_URL, uuid5

from bmn.db.library import asset_store
from bmn.db.records import BrandAssetRow
from bmn.errors import JobFailure, NotFound
from bmn.jobs.context import Context, Result
from bmn.jobs.units import open_unit
from bmn.providers.films import thumbnail_of
from bmn.providers.xmp import maker_of, stamped
from bmn.schemas.events import Progress
from bmn.schemas.payloads import ImageUpload
from bmn.schemas.provenance import provenance_of
from bmn.schemas.results import ThumbnailResult
from bmn.storage import object_key
from bmn.work.inputs import fetch_picture, load_object

UNIT = "picture"


async def run(ctx: Context[ImageUpload]) -> Result:
    """Keeps a picture of elsewhere, or makes the small one of an asset."""
    payload = ctx.payload
    key = payload.storage_key or ctx.storage.key_of(payload.source_url or "")
    if key is not None:
        return await _make_thumbnail(ctx, key)
    return await _bring_home(ctx)


async def _bring_home(ctx: Context[ImageUpload]) -> Result:
    """A stranger's picture becomes an asset, without notes, under a name of ours. Its thumbnail is a job of its own."""
    payload = ctx.payload
    unit = await open_unit(ctx, UNIT)
    if not unit.saved:
        if not unit.is_stored and not await unit.recover():
            picture = await fetch_picture(ctx, payload.source_url or "")
            await ctx.progress("uploading", 50, f"Storing {payload.file_name}")
            await unit.store(picture.data, picture.mime, payload.asset_type, usd=0.0)
        metadata = {**(payload.metadata or {}), "file_name": payload.file_name}
        await unit.save(Progress("saving", 95, f"{payload.file_name} is stored"), metadata=metadata)
    return Result("Picture stored")


async def _make_thumbnail(ctx: Context[ImageUpload], key: str) -> Result:
    """A generator's picture has its thumbnail from the decoding that verified it; films, and what was lost, have not."""
    payload = ctx.payload
    asset = await _asset(ctx, payload.asset_id) if payload.asset_id else None
    if asset and (there := await _known(ctx, asset)):
        return Result("Thumbnail ready", data=ThumbnailResult(thumbnail_url=there, storage_key=key))
    data = await load_object(ctx, key, field="storageKey")
    small = await thumbnail_of(data)
    provenance = provenance_of(asset.metadata) if asset else None
    kept = (await stamped(small.data, maker_of(provenance)))[0] if provenance else small.data
    name = uuid5(NAMESPACE_URL, f"{ctx.job.id}/thumbnail").hex
    small_key = object_key(payload.brand_id, "thumbnail", small.mime, name)
    await ctx.storage.put(small_key, kept, small.mime)
    url = ctx.storage.url_for(small_key)
    if payload.asset_id:
        asset_id = payload.asset_id
        await ctx.commit(lambda conn: asset_store.set_thumbnail(conn, asset_id, payload.brand_id, url))
    return Result("Thumbnail ready", data=ThumbnailResult(thumbnail_url=url, storage_key=key))


async def _asset(ctx: Context[ImageUpload], asset_id: str) -> BrandAssetRow | None:
    """The asset, where it is of this job's brand."""
    try:
        asset = await ctx.db.read(lambda conn: asset_store.get(conn, asset_id))
    except NotFound:
        return None
    return asset if asset.brand_id == ctx.job.brand_id else None


async def _known(ctx: Context[ImageUpload], asset: BrandAssetRow) -> str | None:
    """Where the thumbnail of an asset is; None where it has none, or that cannot be read."""
    key = ctx.storage.key_of(asset.thumbnail_url or "")
    if key is None:
        return None
    try:
        await ctx.storage.head(key)
    except (FileNotFoundError, JobFailure):
        return None
    return asset.thumbnail_url
