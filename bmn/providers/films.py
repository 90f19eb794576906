"""Films from outside are decoded before they are kept, and shown by their first frame."""

import asyncio
import io
from dataclasses import dataclass

from bmn.errors import Cause, JobFailure
from bmn.mime import mime_of
from bmn.providers.decoders import MAX_PIXELS
from bmn.providers.images import CleanPicture, thumbnail

_FFMPEG_TIME = 1_000_000  # ticks a second


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of an MP4. seconds: its length. poster: its first frame as PNG bytes."""

    width: int
    height: int
    seconds: float
    poster: bytes


async def verify_film(data: bytes) -> Film:
    """Decodes the first frame of an MP4 in a thread. Raises JobFailure(PROVIDER_GARBAGE) for what cannot be played."""
    return await asyncio.to_thread(_verify, data)


async def thumbnail_of(data: bytes) -> CleanPicture:
    """A small picture of one of our own objects, be it a picture or a film."""
    return await thumbnail((await verify_film(data)).poster if mime_of(data) == "video/mp4" else data)


def _verify(data: bytes) -> Film:
    import av  # with the first film, since it brings all of FFmpeg

    try:
        return _read(data)
    except (av.FFmpegError, ValueError, IndexError, StopIteration, MemoryError):
        raise JobFailure(Cause.PROVIDER_GARBAGE, "The film cannot be played.") from None


def _read(data: bytes) -> Film:
    import av

    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        stream = container.streams.video[0]
        if stream.width * stream.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        frame = next(container.decode(stream))
        buffer = io.BytesIO()
        poster = frame.to_image()  # type: ignore[no-untyped-call]
        poster.save(buffer, "PNG", compress_level=1)
        seconds = (container.duration or 0) / _FFMPEG_TIME
        return Film(stream.width, stream.height, round(seconds, 2), buffer.getvalue())
