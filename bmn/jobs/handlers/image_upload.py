"""Brings a picture home and makes its thumbnail: from our own store, or from an allowed address, by the guarded fetcher."""

from uuid import NAMESPACE_URL, uuid5

from bmn.db import assets
from bmn.errors import Cause, JobFailure
from bmn.jobs.context import Context, Result
from bmn.providers.images import thumbnail
from bmn.schemas.jobs import ImageUpload
from bmn.storage import object_key


async def run(ctx: Context) -> Result:
    payload = ctx.payload
    assert isinstance(payload, ImageUpload)
    data = await _source(ctx, payload)
    await ctx.progress("uploading", 50, "Making a thumbnail")
    small = await thumbnail(data)
    name = uuid5(NAMESPACE_URL, f"{ctx.job_id}/thumbnail").hex
    key = object_key(payload.brand_id, "thumbnail", small.mime, name)
    await ctx.storage.put(key, small.data, small.mime)
    url = ctx.storage.url_for(key)
    if payload.asset_id:
        asset_id = payload.asset_id
        await ctx.commit(lambda conn: assets.set_thumbnail(conn, asset_id, url))
    return Result("Thumbnail ready", data={"thumbnailUrl": url, "storageKey": payload.storage_key or key})


async def _source(ctx: Context, payload: ImageUpload) -> bytes:
    key = payload.storage_key or ctx.storage.key_of(payload.source_url or "")
    if key is None:
        raise JobFailure(Cause.BAD_INPUT, "sourceUrl is not an address that may be fetched.")
    if not key.startswith(f"brands/{payload.brand_id}/"):
        raise JobFailure(Cause.BAD_INPUT, "This object belongs to another brand.")
    try:
        return await ctx.storage.get(key)
    except FileNotFoundError:
        raise JobFailure(Cause.BAD_INPUT, "The picture to upload is not there.") from None
