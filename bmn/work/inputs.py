"""What a job starts from: objects of its own brand, or pictures at public addresses."""

from bmn.errors import Cause, JobFailure
from bmn.jobs.context import Context
from bmn.mime import mime_of
from bmn.providers.fetch import Fetcher
from bmn.providers.images import CleanPicture, clean_picture, input_picture
from bmn.schemas.payloads import Payload
from bmn.storage import brand_of

INPUT_SIDE = 2048
"""Pixels a side that a model looks at; what a provider is sent is no larger."""


async def load_picture(ctx: Context[Payload], url: str, *, field: str) -> bytes:
    """The picture at an address, as a model is sent it. Our own addresses become storage keys, only of this job's brand.

    field: the payload's, for messages. Raises JobFailure: BAD_INPUT where it may not be read or is no picture,
    DOWNLOAD_FAILED or STORAGE_FAILED where another attempt may succeed.
    """
    key = ctx.storage.key_of(url)
    if key is None:
        data = (await Fetcher(ctx.settings).fetch(url, kind="picture")).data
    elif (data := await load_object(ctx, key, field=field)) and not mime_of(data).startswith("image/"):
        raise _not_usable(field)
    return (await input_picture(data, max_side=INPUT_SIDE)).data


async def fetch_picture(ctx: Context[Payload], url: str) -> CleanPicture:
    """A stranger's picture, to be kept: whole, without notes. Raises JobFailure as `load_picture` does."""
    fetched = await Fetcher(ctx.settings).fetch(url, kind="picture")
    return await clean_picture(fetched.data)


async def load_object(ctx: Context[Payload], key: str, *, field: str) -> bytes:
    """An object of this job's brand. Raises JobFailure: the same BAD_INPUT for one that is not there or not theirs."""
    try:
        if brand_of(key) != ctx.job.brand_id:
            raise _not_usable(field)
        return await ctx.storage.get(key)
    except (FileNotFoundError, ValueError):
        raise _not_usable(field) from None


def _not_usable(field: str) -> JobFailure:
    return JobFailure(Cause.BAD_INPUT, f"{field} names nothing of this brand that can be used.")
