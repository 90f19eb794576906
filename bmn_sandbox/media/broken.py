"""Pictures as a hostile or broken vendor would send them, for the `image` fault."""

import io
import struct
import zlib

from PIL import Image

from bmn_sandbox.faults import ImageKind

_SCRIPT_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script></svg>'


def broken_image(kind: ImageKind, good: bytes) -> bytes:
    """good: the picture that should have been sent."""
    match kind:
        case "notimage":
            return b"<!doctype html><title>Not found</title><h1>The file is gone</h1>"
        case "svg":
            return _SCRIPT_SVG
        case "huge":
            return _huge_png(60_000)
        case "polyglot":
            return good + b"\n<script>alert(1)</script>\nPK\x05\x06" + bytes(18)
    with Image.open(io.BytesIO(good)) as opened:
        picture = opened.convert("RGB")
    out = io.BytesIO()
    if kind == "animated":
        frames = [picture.rotate(angle).quantize(32) for angle in (90, 180)]
        picture.quantize(32).save(out, "GIF", save_all=True, append_images=frames, duration=80, loop=0)
    elif kind == "cmyk":
        picture.convert("CMYK").save(out, "JPEG", quality=90)
    else:
        picture.rotate(90).save(out, "JPEG", quality=90, exif=_located())
    return out.getvalue()


def _located() -> Image.Exif:
    """Lies on its side, and says where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation
    exif[0x013B] = "A photographer's name"  # Artist
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0)})
    return exif


def _huge_png(side: int) -> bytes:
    """A valid PNG of side x side gray pixels, a few hundred kilobytes small: a decompression bomb."""
    rows = bytes(1 + side // 8) * 1000
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)  # stands for itself, so it can be repeated
    check, times = 1, side // 1000
    for _ in range(times):
        check = zlib.adler32(rows, check)
    data = b"\x78\xda" + packed * times + zlib.compressobj(9, zlib.DEFLATED, -15).flush() + struct.pack(">I", check)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
