"""Takes out of a picture's bytes what one does not see: notes, places, cameras, previews, and all behind its end.

Pixels are not encoded again. What decides how they look stays: color profiles, transparency, frames and their timing; each
once, and no longer than its kind prescribes.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from bmn.providers.color_profiles import in_jpeg, in_png, profile_of

_PNG = b"\x89PNG\r\n\x1a\n"
# How many bytes a chunk may have. Without the first ones a picture looks different, or like none.
_ANY = range(2**31)
_PNG_SHOWN = {
    **{b"IHDR": range(13, 14), b"PLTE": range(3, 769), b"tRNS": range(1, 257), b"IDAT": _ANY, b"IEND": range(1)},
    **{b"acTL": range(8, 9), b"fcTL": range(26, 27), b"fdAT": _ANY},
}
_PNG_KEPT = _PNG_SHOWN | {
    **{b"gAMA": range(4, 5), b"cHRM": range(32, 33), b"sRGB": range(1, 2), b"sBIT": range(1, 5), b"iCCP": _ANY},
    **{b"cICP": range(4, 5), b"pHYs": range(9, 10), b"bKGD": range(1, 7)},
}
_PNG_MANY = frozenset((b"IDAT", b"fcTL", b"fdAT"))
_PNG_COLORS = {
    0: range(2, 3),
    2: range(6, 7),
}  # by the kind of color: how long the transparent one is, outside of palettes
_JPEG_KEPT = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDA, 0xDB, 0xDD))  # frames, scans and their tables
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")  # the next marker that is neither a stuffed byte nor a restart
_PARTS = range(10_000)  # of a picture; what has more is encoded again
_WEBP_KEPT = {b"VP8X": range(10, 11), b"ANIM": range(6, 7)} | dict.fromkeys(
    (b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"ICCP"), _ANY
)
_WEBP_FRAME = frozenset((b"VP8 ", b"VP8L", b"ALPH"))
_ICC_FLAG = 0x20
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_GIF_KEPT_APPS = (b"NETSCAPE2.0\3", b"ANIMEXTS1.0\3")  # how often an animation repeats


class Unstrippable(Exception):
    """The bytes are not laid out as their kind prescribes, though a tolerant decoder reads them."""


def strip(data: bytes, *, orientation: int = 1) -> bytes:
    """The picture's bytes without what is not shown. orientation: the camera's, kept where it is not 1.

    Raises Unstrippable.
    """
    parts = next((parts for magic, parts in _KINDS.items() if data.startswith(magic)), None)
    if parts is None:
        raise Unstrippable
    try:
        return b"".join(parts(data, _exif(orientation)))
    except (IndexError, struct.error):
        raise Unstrippable from None


def _exif(orientation: int) -> bytes:
    """The smallest EXIF block that says how to turn the picture; empty where it stands upright."""
    if orientation == 1:
        return b""
    notes = Image.Exif()
    notes[0x0112] = orientation
    return notes.tobytes().removeprefix(b"Exif\0\0")


def _png(data: bytes, exif: bytes) -> Iterator[bytes]:
    yield _PNG
    at = len(_PNG)
    seen: set[bytes] = set()
    for _ in _PARTS:
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise Unstrippable
        fits = length in _PNG_KEPT.get(name, ()) and not (name in seen and name not in _PNG_MANY)
        if name == b"tRNS":
            fits = fits and length in _PNG_COLORS.get(data[25], _ANY)
        if not fits and name in _PNG_SHOWN:
            raise Unstrippable
        seen.add(name)
        if fits and name == b"iCCP":
            if profile := in_png(data[at + 8 : end - 4]):
                yield _chunk(name, profile)
        elif fits and not (name == b"PLTE" and data[25] != 3):  # elsewhere a mere proposal
            yield data[at:end]
        if name == b"IHDR" and exif:
            yield _chunk(b"eXIf", exif)
        if name == b"IEND":
            return
        at = end
    raise Unstrippable


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _jpeg(data: bytes, exif: bytes) -> Iterator[bytes]:
    segments = list(_segments(data))
    first_scan = next((at for at, (marker, _, _) in enumerate(segments) if marker == 0xDA), len(segments))
    said: dict[int, list[bytes]] = {0xE0: [], 0xE2: [], 0xEE: []}
    for marker, start, end in segments[:first_scan]:
        if marker in said:
            said[marker].append(data[start + 4 : end])
    yield data[:2]
    if exif:
        yield b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif
    yield from _density(said[0xE0])
    yield from _inks(said[0xEE])
    yield in_jpeg(said[0xE2])
    for marker, start, end in segments:
        if marker in _JPEG_KEPT:
            yield data[start:end]
    yield b"\xff\xd9"


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of all before the end of the picture; a scan's with its pixels."""
    at = 2
    for _ in _PARTS:
        if data[at] != 0xFF:
            raise Unstrippable
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0xD9:
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == 0xDA:
            found = _END_OF_SCAN.search(data, end)
            if found is None:
                raise Unstrippable
            end = found.start()
        yield marker, at, end
        at = end
    raise Unstrippable


def _density(bodies: list[bytes]) -> Iterator[bytes]:
    """The JFIF segment without its preview. Readers take its colors for those of video."""
    for body in bodies:
        if body.startswith(b"JFIF\0") and len(body) >= 14:
            yield b"\xff\xe0\x00\x10" + body[:12] + b"\0\0"
            return


def _inks(bodies: list[bytes]) -> Iterator[bytes]:
    """Adobe's segment, which says what the channels are."""
    found = {body[:12] for body in bodies if body.startswith(b"Adobe") and len(body) >= 12}
    if len(found) > 1:
        raise Unstrippable
    for body in found:
        yield b"\xff\xee\x00\x0e" + body


def _webp(data: bytes, exif: bytes) -> Iterator[bytes]:
    (size,) = struct.unpack_from("<I", data, 4)
    found: list[tuple[bytes, bytes]] = []
    seen: set[bytes] = set()
    for name, body in _riff_chunks(data[12 : 8 + size]):
        if name not in _WEBP_KEPT:
            continue
        if len(body) not in _WEBP_KEPT[name] or (name in seen and name != b"ANMF"):
            raise Unstrippable
        seen.add(name)
        if name == b"ANMF":
            inner = (_riff(*each) for each in _riff_chunks(body[16:]) if each[0] in _WEBP_FRAME)
            body = body[:16] + b"".join(inner)
        elif name == b"ICCP" and not (body := profile_of(body)):
            continue
        found.append((name, body))
    if exif:
        if b"VP8X" not in seen:
            raise Unstrippable
        found.append((b"EXIF", exif))
    has_profile = b"ICCP" in dict(found)
    flags = ~(_EXIF_FLAG | _XMP_FLAG | _ICC_FLAG), (_EXIF_FLAG if exif else 0) | (_ICC_FLAG if has_profile else 0)
    whole = b"".join(
        _riff(name, bytes([body[0] & flags[0] | flags[1]]) + body[1:] if name == b"VP8X" else body)
        for name, body in found
    )
    yield b"RIFF" + struct.pack("<I", 4 + len(whole)) + b"WEBP" + whole


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in _PARTS:
        if at + 8 > len(data):
            return
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + length]
        if len(body) < length:
            raise Unstrippable
        yield name, body
        at += 8 + length + length % 2
    raise Unstrippable


def _riff(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _gif(data: bytes, exif: bytes) -> Iterator[bytes]:
    if exif:
        raise Unstrippable
    at = 13 + _color_table(data[10])
    yield data[:at]
    while data[at] != 0x3B:
        start = at
        if data[at] == 0x2C:
            at = _end_of_blocks(data, at + 11 + _color_table(data[at + 9]))
            yield data[start:at]
        elif data[at] == 0x21:
            at = _end_of_blocks(data, at + 2)
            if data[start + 1] == 0xF9 and at - start == 8:
                yield data[start:at]
            elif data[start + 1] == 0xFF and data[start + 3 : start + 15] in _GIF_KEPT_APPS:
                yield data[start : start + 18] + b"\0"
        else:
            raise Unstrippable
    yield b"\x3b"


def _color_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


_KINDS: dict[bytes, Callable[[bytes, bytes], Iterator[bytes]]] = {
    _PNG: _png,
    b"\xff\xd8": _jpeg,
    b"RIFF": _webp,
    b"GIF8": _gif,
}
