"""Pictures from outside: only pixels get in."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bmn.errors import Cause, JobFailure
from bmn.providers.images import thumbnail, verify_picture


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _huge_png() -> bytes:
    """Says that it has 60,000 x 60,000 pixels; weighs a few bytes."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


RED = Image.new("RGB", (64, 48), "red")
FRAMES = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "green")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        _encoded(RED, "PNG")[:60],
        _huge_png(),
        _encoded(RED, "BMP"),
        b"x" * (26 * 2**20),
    ],
    ids=["empty", "text", "svg", "truncated", "bomb", "other kind", "too many bytes"],
)
async def test_what_is_no_plain_picture_is_garbage(data: bytes) -> None:
    with pytest.raises(JobFailure) as caught:
        await verify_picture(data)
    assert caught.value.cause is Cause.PROVIDER_GARBAGE


async def test_a_bought_picture_that_is_broken_counts_as_ambiguous() -> None:
    with pytest.raises(JobFailure) as caught:
        await verify_picture(b"junk", paid=True)
    assert caught.value.ambiguous


async def test_a_users_broken_picture_is_the_users_fault() -> None:
    with pytest.raises(JobFailure) as caught:
        await verify_picture(b"junk", cause=Cause.BAD_INPUT)
    assert caught.value.cause is Cause.BAD_INPUT
    assert not caught.value.retryable


async def test_notes_and_trailing_scripts_are_gone_and_pixels_stay() -> None:
    notes = PngInfo()
    notes.add_text("Comment", "secret-note")
    exif = Image.Exif()
    exif[0x010F] = "secret-camera"
    polyglot = _encoded(RED, "PNG", pnginfo=notes, exif=exif) + b"<script>secret-script</script>"
    clean = await verify_picture(polyglot)
    assert b"secret" not in clean.data
    assert (clean.width, clean.height, clean.mime) == (64, 48, "image/png")
    with Image.open(io.BytesIO(clean.data)) as reopened:
        assert reopened.getpixel((10, 10)) == (255, 0, 0)
        assert not reopened.getexif()


async def test_of_an_animation_the_first_frame_is_kept() -> None:
    clean = await verify_picture(_encoded(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]))
    with Image.open(io.BytesIO(clean.data)) as reopened:
        assert getattr(reopened, "n_frames", 1) == 1
        assert reopened.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "1", "LA", "RGBA"])
async def test_other_colour_models_become_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    clean = await verify_picture(_encoded(RED.convert(mode), kind))
    with Image.open(io.BytesIO(clean.data)) as reopened:
        assert reopened.mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")


async def test_a_picture_is_turned_as_the_camera_noted() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    clean = await verify_picture(_encoded(RED, "JPEG", exif=exif))
    assert (clean.width, clean.height) == (48, 64)


async def test_a_thumbnail_keeps_its_shape() -> None:
    small = await thumbnail(_encoded(Image.new("RGB", (2048, 1024)), "PNG"))
    assert (small.width, small.height) == (512, 256)
