"""Pictures from outside are decoded, checked and written anew as PNG, so that nothing but pixels gets in."""

import asyncio
import hashlib
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image, ImageOps

from bmn.errors import Cause, JobFailure

MAX_BYTES = 25 * 2**20
MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # never SVG: it can carry script
THUMBNAIL_SIDE = 512

# Two at a time, since the largest picture takes half a gigabyte while it is decoded.
_DECODERS = ThreadPoolExecutor(2, "decode")


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """One frame, no metadata. data: PNG bytes. width, height: pixels. sha256: of data, in hex."""

    data: bytes
    width: int
    height: int
    mime: str
    sha256: str


async def verify_picture(
    data: bytes, *, paid: bool = False, cause: Cause = Cause.PROVIDER_GARBAGE, max_side: int | None = None
) -> CleanPicture:
    """Decodes a picture in a thread and writes it anew. max_side: scales it down to this many pixels a side.

    cause: BAD_INPUT where a user brought the picture. paid: it was bought, so a broken one is recorded as ambiguous.
    Of an animated picture the first frame is kept. Raises JobFailure of that cause when it is no picture, too large,
    or of another kind.
    """
    try:
        return await asyncio.get_running_loop().run_in_executor(_DECODERS, _clean, data, max_side)
    except _NotUsable as problem:
        raise JobFailure(cause, f"The picture cannot be used: {problem}.", ambiguous=paid) from None


def mime_of(data: bytes) -> str:
    """What the bytes are, by their first ones; `application/octet-stream` for what we do not know."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "video/mp4"
    known = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
    return next((mime for magic, mime in known.items() if data.startswith(magic)), "application/octet-stream")


async def thumbnail(data: bytes) -> CleanPicture:
    """A small copy of one of our own pictures, at most 512 pixels a side."""
    return await verify_picture(data, cause=Cause.STORAGE_FAILED, max_side=THUMBNAIL_SIDE)


class _NotUsable(Exception):
    pass


def _clean(data: bytes, max_side: int | None) -> CleanPicture:
    if len(data) > MAX_BYTES:
        raise _NotUsable(f"it has more than {MAX_BYTES // 2**20} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _check(opened)
                opened.load()
                pixels = _upright_rgb(opened)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError, Image.DecompressionBombError):
        raise _NotUsable("it does not decode as PNG, JPEG, WebP or GIF") from None
    if max_side is not None:
        pixels.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return _encode(pixels)


def _check(opened: Image.Image) -> None:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise _NotUsable(f"it has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million")


def _upright_rgb(opened: Image.Image) -> Image.Image:
    """RGB or RGBA pixels, turned as the camera noted, in a new image that knows nothing of such notes."""
    upright = ImageOps.exif_transpose(opened)
    transparent = "transparency" in upright.info or upright.mode in ("RGBA", "LA", "PA", "La", "RGBa")
    converted = upright.convert("RGBA" if transparent else "RGB")
    clean = Image.new(converted.mode, converted.size)
    clean.paste(converted)
    return clean


def _encode(pixels: Image.Image) -> CleanPicture:
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG", compress_level=4)
    data = buffer.getvalue()
    return CleanPicture(data, pixels.width, pixels.height, "image/png", hashlib.sha256(data).hexdigest())
