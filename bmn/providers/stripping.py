"""Takes out of a picture's bytes what one does not see: notes, places, cameras, previews, and all behind its end.

Pixels are not encoded again. What decides how they look stays: color profiles, transparency, frames and their timing.
"""

import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT iCCP cICP pHYs bKGD acTL fcTL fdAT".split())
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_GIF_KEPT_APPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")  # how often an animation repeats


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
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise Unstrippable
        if name in _PNG_KEPT:
            yield data[at:end]
        if name == b"IHDR" and exif:
            yield struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
        if name == b"IEND":
            return
        at = end


def _jpeg(data: bytes, exif: bytes) -> Iterator[bytes]:
    yield data[:2]
    if exif:
        yield b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif
    at = 2
    while True:
        if data[at] != 0xFF:
            raise Unstrippable
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0xD9:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == 0xDA:
            end = _end_of_scan(data, end)
        if _is_seen(marker, data[at + 4 : at + 18]):
            yield data[at:end]
        at = end


def _is_seen(marker: int, beginning: bytes) -> bool:
    """Whether a JPEG segment decides about pixels. Of the application's own ones: JFIF, color profiles, Adobe's colors."""
    if 0xE0 <= marker <= 0xEF:
        return beginning.startswith((b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"))
    return marker != 0xFE


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the compressed pixels end: at the next marker that is neither a stuffed byte nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise Unstrippable
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _webp(data: bytes, exif: bytes) -> Iterator[bytes]:
    (size,) = struct.unpack_from("<I", data, 4)
    end, at, chunks, extended = min(len(data), 8 + size), 12, [], False
    while at + 8 <= end:
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + length]
        if len(body) < length:
            raise Unstrippable
        if name == b"VP8X":
            extended = True
            flags = (body[0] & ~(_EXIF_FLAG | _XMP_FLAG)) | (_EXIF_FLAG if exif else 0)
            body = bytes([flags]) + body[1:]
        if name in _WEBP_KEPT:
            chunks.append(_riff(name, body))
        at += 8 + length + length % 2
    if exif:
        if not extended:
            raise Unstrippable
        chunks.append(_riff(b"EXIF", exif))
    whole = b"".join(chunks)
    yield b"RIFF" + struct.pack("<I", 4 + len(whole)) + b"WEBP" + whole


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
            app = data[start + 1] == 0xFF and data[start + 3 : start + 14] in _GIF_KEPT_APPS
            if data[start + 1] == 0xF9 or app:
                yield data[start:at]
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
