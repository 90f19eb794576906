"""Rough pictures that a provider sends on the way: small, told once, and gone within two hours.

They stand among the brand's objects without a row, so that the hourly cleanup takes them for what nobody needs any more.
"""

import hashlib

from bmn.errors import JobFailure
from bmn.jobs.context import Context
from bmn.logs import get_logger
from bmn.providers.images import preview
from bmn.schemas.payloads import Payload

log = get_logger(__name__)


async def keep_preview(ctx: Context[Payload], unit: str, rough: bytes) -> str | None:
    """The durable address of a small copy; None where there can be none, which holds nothing up."""
    if ctx.job.brand_id is None:
        return None
    try:
        small = await preview(rough)
        name = hashlib.sha256(f"{ctx.job.id} {unit} {small.sha256}".encode()).hexdigest()[:32]
        key = f"brands/{ctx.job.brand_id}/previews/{name}.webp"
        await ctx.storage.put(key, small.data, small.mime)
    except JobFailure as failure:
        log.warning("a rough picture is not shown", reason=failure.message, unit=unit)
        return None
    return ctx.storage.url_for(key)
