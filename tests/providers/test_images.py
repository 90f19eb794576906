"""Pictures from outside: only pixels get in."""

import hashlib
import io
import struct
import zlib
from functools import cache
from random import Random

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from bmn.errors import Cause, JobFailure
from bmn.providers.images import clean_picture, input_picture, thumbnail, verify_picture
from bmn.providers.pixels import as_shown


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
        await clean_picture(b"junk")
    assert caught.value.cause is Cause.BAD_INPUT
    assert not caught.value.retryable


async def test_a_providers_picture_is_kept_byte_for_byte() -> None:
    signed = _encoded(RED, "PNG")
    signed = signed[:33] + _chunk(b"caBX", b"a provider's signed manifest") + signed[33:]
    kept = await verify_picture(signed)
    assert kept.data == signed
    assert (kept.width, kept.height, kept.mime, kept.sha256) == (
        64,
        48,
        "image/png",
        hashlib.sha256(signed).hexdigest(),
    )


def _secretive(kind: str) -> bytes:
    """A picture with a note in every place that its kind has for one, and a script behind its end."""
    exif = Image.Exif()
    exif[0x010F] = "secret-camera"
    options: dict[str, object] = {"exif": exif, "xmp": b"<x:xmpmeta>secret-place</x:xmpmeta>"}
    if kind == "PNG":
        notes = PngInfo()
        notes.add_text("Comment", "secret-note")
        options |= {"pnginfo": notes}
    if kind in ("JPEG", "GIF"):
        options |= {"comment": b"secret-comment"}
    if kind == "WEBP":
        options |= {"lossless": True}
    return _encoded(RED, kind, **options) + b"<script>secret-script</script>"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_strangers_picture_loses_its_notes_and_not_one_pixel(kind: str) -> None:
    given = _secretive(kind)
    clean = await clean_picture(given)
    assert b"secret" in given
    assert b"secret" not in clean.data
    assert (clean.width, clean.height, clean.mime) == (64, 48, f"image/{kind.lower()}")
    with Image.open(io.BytesIO(clean.data)) as after, Image.open(io.BytesIO(given)) as before:
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()
        assert not after.getexif()


def _stuffed() -> dict[str, bytes]:
    """Pictures that hide something where their kind has a place for something else, and keep nothing to its length."""
    secret = b"secret-" * 120
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    jpeg, webp = _encoded(RED, "JPEG"), _encoded(RED, "WEBP", icc_profile=icc + secret)
    png, gif = (_encoded(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:], loop=0) for kind in ("PNG", "GIF"))

    def in_jpeg(marker: int, body: bytes) -> bytes:
        return jpeg[:20] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + jpeg[20:]

    def in_png(name: bytes, body: bytes) -> bytes:
        return png[:33] + _chunk(name, body) + png[33:]

    moving = _encoded(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:])
    at = moving.index(b"ANMF") + 4
    size = int.from_bytes(moving[at : at + 4], "little")
    frame = struct.pack("<I", size + 22) + moving[at + 4 : at + 4 + size] + b"note\x0e\0\0\0" + b"secret-secret-"
    moved = moving[8:at] + frame + moving[at + 4 + size :]
    return {
        "a second JFIF": in_jpeg(0xE0, b"JFIF\0" + secret),
        "a long JFIF": jpeg[:2] + b"\xff\xe0" + struct.pack(">H", 16 + len(secret)) + jpeg[6:20] + secret + jpeg[20:],
        "Adobe": in_jpeg(0xEE, b"Adobe\0\x64\0\0\0\0\1" + secret),
        "a JPEG's profile": in_jpeg(0xE2, b"ICC_PROFILE\0\1\1" + icc + secret),
        "no profile": in_jpeg(0xE2, b"ICC_PROFILE\0\1\1" + secret),
        "a number of lines": in_jpeg(0xDC, secret),
        "colors of a screen": in_png(b"cHRM", secret),
        "a PNG's profile": in_png(b"iCCP", b"secret\0\0" + zlib.compress(icc + secret, 0) + secret),
        "a palette of nothing": in_png(b"PLTE", secret[:768]),
        "a WebP's profile": webp,
        "a frame": b"RIFF" + struct.pack("<I", len(moved)) + moved,
        "how often": gif.replace(b"NETSCAPE2.0\3\1\0\0", b"NETSCAPE2.0\3\1\0\0\x06secret"),
    }


@pytest.mark.parametrize("name", _stuffed())
async def test_a_place_for_something_else_hides_nothing(name: str) -> None:
    given = _stuffed()[name]
    clean = await clean_picture(given)
    assert b"secret" in given and b"secret" not in clean.data
    with Image.open(io.BytesIO(clean.data)) as after, Image.open(io.BytesIO(given)) as before:
        assert after.format == before.format and getattr(after, "n_frames", 1) == getattr(before, "n_frames", 1)
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()
        assert after.info.get("loop") == before.info.get("loop")
        assert ("icc_profile" in after.info) == name.endswith("'s profile")
        if name.endswith("'s profile"):
            assert before.info["icc_profile"].startswith(after.info["icc_profile"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
async def test_a_picture_stays_turned_as_the_camera_noted(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "secret-camera"
    given = _encoded(_QUARTERS, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    clean = await clean_picture(given)
    assert b"secret" not in clean.data
    assert (clean.width, clean.height) == ((48, 64) if orientation in (6, 8) else (64, 48))
    assert _looks(clean.data) == _looks(given)
    assert _looks((await input_picture(given, max_side=2048)).data) == _looks(given)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_an_animation_stays_one_and_a_model_gets_its_first_frame(kind: str) -> None:
    given = _encoded(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:], duration=100, loop=0)
    clean = await clean_picture(given)
    with Image.open(io.BytesIO(clean.data)) as reopened:
        assert (getattr(reopened, "n_frames", 1), reopened.info.get("loop")) == (3, 0)
        reopened.seek(2)
        assert _near(reopened.convert("RGB").getpixel((4, 4)), (0, 128, 0))
    for small in (await input_picture(given, max_side=64), await thumbnail(given)):
        with Image.open(io.BytesIO(small.data)) as first:
            assert getattr(first, "n_frames", 1) == 1
            assert _near(first.convert("RGB").getpixel((4, 4)), (255, 0, 0))


@pytest.mark.parametrize("name", [
    "1", "L", "LA", "P", "P with transparency", "RGB", "RGBA", "I;16", "I;16 with transparency", "CMYK",
    "L with transparency", "RGB with transparency", "wide profile", "wide profile with alpha",
    "print profile",
])  # fmt: skip
async def test_every_kind_of_pixels_comes_out_as_it_looks(name: str) -> None:
    """Four quarters from black to white, as whatever Pillow writes; what a model gets and a thumbnail shows the same."""
    given, expected = _corpus()[name]
    kept = await verify_picture(given)
    assert kept.data == given
    stripped = await clean_picture(given)
    shown = [stripped.data, (await input_picture(given, max_side=2048)).data, (await thumbnail(given)).data]
    for data in shown:
        assert all(_near(pixel, wanted) for pixel, wanted in zip(_looks(data), expected, strict=True)), (
            name,
            _looks(data),
        )


def _gray_quarters(*values: int) -> Image.Image:
    image = Image.new("L", (64, 48))
    for place, value in enumerate(values):
        image.paste(value, (place * 16, 0, place * 16 + 16, 48))
    return image


_QUARTERS = _gray_quarters(0, 80, 160, 255).convert("RGB")
_QUARTERS.paste((200, 30, 30), (0, 0, 16, 16))

Rgba = tuple[int, int, int, int]


def _near(given: object, wanted: tuple[int, ...]) -> bool:
    assert isinstance(given, tuple)
    return all(abs(one - other) <= 12 for one, other in zip(given, wanted, strict=True))


def _looks(data: bytes) -> list[Rgba]:
    """The middle of each quarter as a screen shows it."""
    with Image.open(io.BytesIO(data)) as opened:
        image = as_shown(opened).convert("RGBA")
    points = [(round((place + 0.5) * image.width / 4), image.height // 2) for place in range(4)]
    seen = [image.getpixel(point) for point in points]
    return [(0, 0, 0, 0) if pixel[3] == 0 else pixel for pixel in seen]  # type: ignore[index, misc]


@cache
def _corpus() -> dict[str, tuple[bytes, list[Rgba]]]:
    """name -> the picture, and what its quarters look like."""
    gray = _gray_quarters(0, 80, 160, 255)
    grays: list[Rgba] = [(value, value, value, 255) for value in (0, 80, 160, 255)]
    hidden: list[Rgba] = [(0, 0, 0, 0), *grays[1:]]
    two: list[Rgba] = [(0, 0, 0, 255), (0, 0, 0, 255), (255, 255, 255, 255), (255, 255, 255, 255)]
    deep = gray.convert("I").point(lambda value: value * 257).convert("I;16")
    alpha = gray.point(lambda value: 255 if value else 0)
    see_through = gray.convert("RGBA")
    see_through.putalpha(alpha)
    palette = gray.quantize(4, dither=Image.Dither.NONE)
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {
        "1": (_encoded(_gray_quarters(0, 0, 255, 255).convert("1"), "PNG"), two),
        "L": (_encoded(gray, "PNG"), grays),
        "LA": (_encoded(see_through.convert("LA"), "PNG"), hidden),
        "P": (_encoded(palette, "PNG"), grays),
        "P with transparency": (_encoded(palette, "PNG", transparency=palette.getpixel((1, 1))), hidden),
        "RGB": (_encoded(gray.convert("RGB"), "PNG"), grays),
        "RGBA": (_encoded(see_through, "PNG"), hidden),
        "I;16": (_encoded(deep, "PNG"), grays),
        "I;16 with transparency": (_encoded(deep, "PNG", transparency=0), hidden),
        "CMYK": (_encoded(gray.convert("RGB").convert("CMYK"), "JPEG", quality=95), grays),
        "L with transparency": (_encoded(gray, "PNG", transparency=0), hidden),
        "RGB with transparency": (_encoded(gray.convert("RGB"), "PNG", transparency=(0, 0, 0)), hidden),
        "wide profile": (_encoded(gray.convert("RGB"), "WEBP", lossless=True, icc_profile=wide), grays),
        "wide profile with alpha": (_encoded(see_through, "PNG", icc_profile=wide), hidden),
        "print profile": (_encoded(gray.convert("RGB"), "JPEG", quality=95, icc_profile=b"no profile at all"), grays),
    }


async def test_a_wide_profile_changes_colors_as_it_says() -> None:
    """(255, 0, 0) with a profile whose red and green are exchanged is green."""
    profile = _exchanged_profile()
    given = _encoded(RED, "PNG", icc_profile=profile)
    assert _near(_looks((await thumbnail(given)).data)[0][:3], (0, 255, 0))
    assert _looks((await clean_picture(given)).data)[0] == _looks(given)[0]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "P with transparency"), ("WEBP", "RGBA"), ("JPEG", "RGB")],
)
async def test_a_wide_profile_is_obeyed_in_every_mode(kind: str, mode: str) -> None:
    """A palette's colors are what its profile speaks of."""
    two = Image.new("RGB", (16, 16), (255, 0, 0))
    two.paste((0, 0, 255), (0, 0, 4, 16))
    given = two.quantize(4) if mode.startswith("P") else two.convert(mode)
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    if mode == "P with transparency":
        options["transparency"] = given.getpixel((0, 0))
    made = await input_picture(_encoded(given, kind, icc_profile=_exchanged_profile(), **options), max_side=64)
    assert _near(_looks(made.data)[3][:3], (0, 255, 0))


def _exchanged_profile() -> bytes:
    """sRGB, the primaries of red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    at = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 136 + 12 * n for n in range(count)}
    red, green = (bytes(profile[at[name] : at[name] + 8]) for name in (b"rXYZ", b"gXYZ"))
    profile[at[b"rXYZ"] : at[b"rXYZ"] + 8], profile[at[b"gXYZ"] : at[b"gXYZ"] + 8] = green, red
    return bytes(profile)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_whatever_is_cut_or_changed_is_refused_or_decodes(kind: str) -> None:
    """A seeded fuzz: stripping never raises anything of its own, and what comes out opens again."""
    whole, random = _secretive(kind), Random(7)
    for _ in range(150):
        broken = bytearray(whole[: random.randrange(8, len(whole))] if random.random() < 0.3 else whole)
        for _ in range(random.randrange(1, 6)):
            broken[random.randrange(8, len(broken))] = random.randrange(256)
        try:
            clean = await clean_picture(bytes(broken))
        except JobFailure as failure:
            assert failure.cause is Cause.BAD_INPUT
            continue
        with Image.open(io.BytesIO(clean.data)) as reopened:
            reopened.load()


async def test_a_thumbnail_keeps_its_shape() -> None:
    small = await thumbnail(_encoded(Image.new("RGB", (2048, 1024)), "PNG"))
    assert (small.width, small.height, small.mime) == (512, 256, "image/jpeg")


@pytest.mark.parametrize(("mode", "color", "mime"), [
    ("RGB", (200, 40, 10), "image/jpeg"),
    ("RGBA", (200, 40, 10, 255), "image/jpeg"),
    ("RGBA", (200, 40, 10, 0), "image/webp"),
])  # fmt: skip
async def test_a_verified_picture_comes_with_its_thumbnail(mode: str, color: tuple[int, ...], mime: str) -> None:
    small = (await verify_picture(_encoded(Image.new(mode, (2048, 1024), color), "PNG"))).small
    assert small is not None
    assert (small.width, small.height, small.mime) == (512, 256, mime)
    assert ("A" in Image.open(io.BytesIO(small.data)).getbands()) == (mime == "image/webp")


async def test_a_model_gets_no_more_than_it_looks_at() -> None:
    small = await input_picture(_encoded(Image.new("RGB", (3000, 1000)), "PNG"), max_side=300)
    assert (small.width, small.height) == (300, 100)
