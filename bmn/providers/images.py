"""Pictures from outside: decoded to see that they are whole, then kept as they came, or stripped to what one sees."""

import asyncio
import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from PIL import Image

from bmn.errors import Cause, JobFailure
from bmn.mime import mime_of
from bmn.providers.decoders import DECODERS, MAX_PIXELS, PIXELS
from bmn.providers.pixels import as_shown, is_plain, is_turned, shown_size
from bmn.providers.stripping import Unstrippable, strip

MAX_BYTES = 25 * 2**20
MAX_FRAMES = 1000
MAX_ANIMATED_PIXELS = 400_000_000  # all frames of an animation together
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # never SVG: it can carry script
THUMBNAIL_SIDE = 512
_PREVIEW_SIDE = 256

# What Pillow's readers have raised for broken bytes, in a fuzz of 12,000 pictures and in the field.
_DECODER_RAISES = (
    *(OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError, Image.DecompressionBombError),
    *(IndexError, KeyError, TypeError, AttributeError, ZeroDivisionError, struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """A picture that decodes. width, height: pixels, as it is shown. sha256: of data, in hex.

    small: its thumbnail, where that came with the decoding.
    """

    data: bytes
    width: int
    height: int
    mime: str
    sha256: str
    small: "CleanPicture | None" = None


async def verify_picture(data: bytes, *, paid: bool = False) -> CleanPicture:
    """Decodes a provider's picture in a thread and keeps its bytes as they came, with what the provider signed into them.

    It comes with its thumbnail, as decoding it once more is most of what that costs.
    paid: it was bought, so a broken one is recorded as ambiguous. Raises JobFailure(PROVIDER_GARBAGE) for what is no
    picture, too large, or of another kind.
    """
    return await _in_thread(_verify, data, cause=Cause.PROVIDER_GARBAGE, paid=paid)


async def clean_picture(data: bytes) -> CleanPicture:
    """A stranger's picture without notes, place names, cameras or anything behind its end; its pixels are not encoded again.

    Animations stay animated. Raises JobFailure(BAD_INPUT) as `verify_picture` does.
    """
    return await _in_thread(_clean, data, cause=Cause.BAD_INPUT)


async def input_picture(data: bytes, *, max_side: int) -> CleanPicture:
    """A stranger's picture as a model is sent it: one frame, 8 bits, sRGB, at most `max_side` pixels a side.

    Raises JobFailure(BAD_INPUT) as `verify_picture` does.
    """
    return await _in_thread(lambda given: _for_model(given, max_side), data, cause=Cause.BAD_INPUT)


async def thumbnail(data: bytes) -> CleanPicture:
    """A small copy of one of our own pictures, at most 512 pixels a side. Raises JobFailure(STORAGE_FAILED)."""
    return await _in_thread(_thumbnail, data, cause=Cause.STORAGE_FAILED)


async def preview(data: bytes) -> CleanPicture:
    """A rough WebP of a picture on its way, at most 256 pixels a side. Raises JobFailure(PROVIDER_GARBAGE)."""
    return await _in_thread(_preview, data, cause=Cause.PROVIDER_GARBAGE)


class _NotUsable(Exception):
    pass


async def _in_thread(
    work: Callable[[bytes], CleanPicture], data: bytes, *, cause: Cause, paid: bool = False
) -> CleanPicture:
    try:
        return await asyncio.get_running_loop().run_in_executor(DECODERS, work, data)
    except _NotUsable as problem:
        raise JobFailure(cause, f"The picture cannot be used: {problem}.", ambiguous=paid) from None


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The picture, its size checked and not decoded yet. Whatever Pillow raises inside becomes _NotUsable."""
    if len(data) > MAX_BYTES:
        raise _NotUsable(f"it has more than {MAX_BYTES // 2**20} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken notes of a camera
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _check(opened)
                with PIXELS.taken(opened.width * opened.height):
                    yield opened
    except _DECODER_RAISES:
        raise _NotUsable("it does not decode as PNG, JPEG, WebP or GIF") from None


def _check(opened: Image.Image) -> None:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise _NotUsable(f"it has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million")


def _verify(data: bytes) -> CleanPicture:
    with _opened(data) as opened:
        opened.load()
        return replace(_kept(data, shown_size(opened)), small=_small_of(opened))


def _small_of(opened: Image.Image) -> CleanPicture | None:
    """None where the picture decodes and cannot be drawn anew: no reason to refuse what was paid for."""
    try:
        return _small(opened)
    except _DECODER_RAISES:
        return None


def _clean(data: bytes) -> CleanPicture:
    with _opened(data) as opened:
        opened.load()
        frames = int(getattr(opened, "n_frames", 1))
        size = shown_size(opened)
        turned = is_turned(opened)
        if frames <= MAX_FRAMES and frames * size[0] * size[1] <= MAX_ANIMATED_PIXELS:
            try:
                return _kept(strip(data, orientation=turned), size)
            except Unstrippable:
                opened.seek(0)
        return _encoded(as_shown(opened), "PNG", compress_level=4)


def _for_model(data: bytes, max_side: int) -> CleanPicture:
    with _opened(data) as opened:
        if is_plain(opened) and max(opened.size) <= max_side:
            opened.load()
            try:
                return _kept(strip(data), opened.size)
            except Unstrippable:
                pass
        pixels = as_shown(opened, max_side * 3 // 2)  # the finer filter has something to choose from
        pixels.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        return _encoded(pixels, "PNG", compress_level=4)


def _thumbnail(data: bytes) -> CleanPicture:
    with _opened(data) as opened:
        return _small(opened)


def _small(opened: Image.Image) -> CleanPicture:
    """JPEG, at a tenth of what WebP costs; WebP where something is transparent."""
    pixels = as_shown(opened, THUMBNAIL_SIDE)
    pixels.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    if pixels.mode == "RGBA" and pixels.getchannel("A").getextrema()[0] == 255:
        pixels = pixels.convert("RGB")
    if pixels.mode == "RGBA":
        return _encoded(pixels, "WEBP", quality=80, method=0)
    return _encoded(pixels, "JPEG", quality=80)


def _preview(data: bytes) -> CleanPicture:
    with _opened(data) as opened:
        pixels = as_shown(opened, THUMBNAIL_SIDE)
        pixels.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE), Image.Resampling.BILINEAR)
        return _encoded(pixels, "WEBP", quality=60, method=0)


def _kept(data: bytes, size: tuple[int, int]) -> CleanPicture:
    return CleanPicture(data, *size, mime_of(data), hashlib.sha256(data).hexdigest())


def _encoded(pixels: Image.Image, kind: str, **options: int) -> CleanPicture:
    buffer = io.BytesIO()
    pixels.save(buffer, kind, **options)
    return _kept(buffer.getvalue(), pixels.size)
