"""XMP packets and C2PA manifests inside of files: found, and packets added or replaced, with no pixel encoded again.

A file that is not laid out as its kind prescribes is left alone, however well a tolerant decoder plays it.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bmn.mime import mime_of

_PNG_KEYWORD = b"XML:com.adobe.xmp\0"
_JPEG_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_LONGEST = 0xFFFF - 2 - len(_JPEG_NAME)
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # JPEG markers without a length
_MP4_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_MP4_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_VP8X_XMP, _VP8X_ALPHA = 0x04, 0x10
_PARTS = range(10_000)


class OddLayout(Exception):
    """The bytes are not laid out as their kind prescribes, or their kind is none of ours."""


class TooManyParts(OddLayout):
    """No encoder divides a file so finely: whoever did wants it to be looked at for long."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a file carries beside its pixels. start, end: the bytes that a new packet takes the place of.

    packet: XMP, empty where there is none. manifest: the C2PA manifest store (JUMBF), empty where there is none.
    """

    start: int
    end: int
    packet: bytes = b""
    manifest: bytes = b""


def find(data: bytes) -> Found:
    """What a PNG, JPEG, WebP or MP4 carries. Raises OddLayout."""
    try:
        return _FINDERS[mime_of(data)](data)
    except (KeyError, IndexError, struct.error):
        raise OddLayout from None


def put(data: bytes, found: Found, packet: bytes) -> bytes:
    """The file with this packet in place of the one it has. found: what `find` said of it. Raises OddLayout."""
    try:
        return _WRITERS[mime_of(data)](data, found, packet)
    except (KeyError, IndexError, struct.error):
        raise OddLayout from None


# --- PNG: a chunk of international text behind the header ------------------------------------------------------------------


def _find_in_png(data: bytes) -> Found:
    at, packet, place, manifest = 8, b"", (33, 33), b""
    for _ in _PARTS:
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data) or (at == 8) is not (name == b"IHDR"):
            raise OddLayout
        if name == b"caBX":
            manifest = data[at + 8 : end - 4]
        elif name == b"iTXt" and data.startswith(_PNG_KEYWORD, at + 8):
            packet, place = _international(data[at + 8 + len(_PNG_KEYWORD) : end - 4]), (at, end)
        elif name == b"IEND":
            return Found(*place, packet, manifest)
        at = end
    raise TooManyParts


def _international(body: bytes) -> bytes:
    if body[0]:
        raise OddLayout  # compressed, which the XMP specification forbids
    return body[2:].split(b"\0", 2)[2]


def _put_in_png(data: bytes, found: Found, packet: bytes) -> bytes:
    body = b"iTXt" + _PNG_KEYWORD + b"\0\0\0\0" + packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return b"".join((memoryview(data)[: found.start], chunk, memoryview(data)[found.end :]))


# --- JPEG: an application segment behind those that want to be first -------------------------------------------------------


def _find_in_jpeg(data: bytes) -> Found:
    at, packet, place, first = 2, b"", (2, 2), True
    parts: list[bytes] = []
    for _ in _PARTS:
        if data[at] != 0xFF:
            raise OddLayout
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            raise OddLayout
        (length,) = struct.unpack_from(">H", data, at + 2)
        body, end = data[at + 4 : at + 2 + length], at + 2 + length
        if length < 2 or end > len(data):
            raise OddLayout
        if marker == 0xE1 and body.startswith(_JPEG_NAME):
            packet, place = body[len(_JPEG_NAME) :], (at, end)
        elif marker == 0xEB and body.startswith(b"JP"):
            parts.append(body[16 if parts else 8 :])  # each part of a box repeats its head
        first = first and marker in (0xE0, 0xE1)
        if not packet and first:
            place = (end, end)
        if marker == 0xDA:
            manifest = b"".join(parts)
            return Found(*place, packet, manifest if b"c2pa" in manifest else b"")
        at = end
    raise TooManyParts


def _put_in_jpeg(data: bytes, found: Found, packet: bytes) -> bytes:
    if len(packet) > _JPEG_LONGEST:
        raise OddLayout
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(_JPEG_NAME) + len(packet)) + _JPEG_NAME + packet
    return b"".join((memoryview(data)[: found.start], segment, memoryview(data)[found.end :]))


# --- WebP: a chunk at the end, which the extended header announces ---------------------------------------------------------


def _riff(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk, its padding included."""
    at = 12
    if 8 + struct.unpack_from("<I", data, 4)[0] != len(data):
        raise OddLayout
    for _ in _PARTS:
        if at >= len(data):
            return
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length + length % 2
        if end > len(data):
            raise OddLayout
        yield data[at : at + 4], at, end
        at = end
    raise TooManyParts


def _find_in_webp(data: bytes) -> Found:
    packet, place, manifest = b"", (len(data), len(data)), b""
    for name, start, end in _riff(data):
        (length,) = struct.unpack_from("<I", data, start + 4)
        if name == b"XMP ":
            packet, place = data[start + 8 : start + 8 + length], (start, end)
        elif name == b"C2PA":
            manifest = data[start + 8 : start + 8 + length]
    return Found(*place, packet, manifest)


def _put_in_webp(data: bytes, found: Found, packet: bytes) -> bytes:
    head = data[12 : 12 + 18]
    if head[:4] == b"VP8X":
        kept, start = head[:8] + bytes([head[8] | _VP8X_XMP]) + head[9:], 30
    else:
        kept, start = _extended(data), 12
    chunk = b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
    whole = b"".join((b"WEBP", kept, data[start : found.start], chunk, data[found.end :]))
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def _extended(data: bytes) -> bytes:
    """The extended header of a picture that has only a simple one."""
    name, body = data[12:16], data[20:30]
    if name == b"VP8L" and body[0] == 0x2F:
        (bits,) = struct.unpack_from("<I", body, 1)
        width, height, flags = bits & 0x3FFF, bits >> 14 & 0x3FFF, _VP8X_ALPHA if bits >> 28 & 1 else 0
    elif name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        width, height, flags = width - 1, height - 1, 0
    else:
        raise OddLayout
    sides: bytes = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return b"VP8X" + struct.pack("<IB3x", 10, flags | _VP8X_XMP) + sides


# --- MP4: a box at the end, where it moves nothing that others point to ----------------------------------------------------


def _find_in_mp4(data: bytes) -> Found:
    at, packet, manifest, index = 0, b"", b"", len(data)
    place: tuple[int, int] | None = None
    for _ in _PARTS:
        if at >= len(data):
            start, end = place or (index, index)
            return Found(start, end, packet, manifest)
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        end = at + size
        if size < head or end > len(data):
            raise OddLayout  # also a box that goes on to the end, behind which nothing can stand
        if name == b"uuid" and data.startswith(_MP4_XMP, at + head):
            packet, place = data[at + head + 16 : end], (at, end)
        elif name == b"uuid" and data.startswith(_MP4_C2PA, at + head):
            manifest = data[at + head + 16 : end]
        elif name == b"mfra":
            index = at  # an index of fragments says at its very end where it begins
        at = end
    raise TooManyParts


def _put_in_mp4(data: bytes, found: Found, packet: bytes) -> bytes:
    if found.packet and found.end != len(data):
        raise OddLayout  # what stands behind it would move
    box = struct.pack(">I4s", 24 + len(packet), b"uuid") + _MP4_XMP + packet
    return b"".join((memoryview(data)[: found.start], box, memoryview(data)[found.end :]))


_FINDERS: dict[str, Callable[[bytes], Found]] = {
    "image/png": _find_in_png,
    "image/jpeg": _find_in_jpeg,
    "image/webp": _find_in_webp,
    "video/mp4": _find_in_mp4,
}
_WRITERS: dict[str, Callable[[bytes, Found, bytes], bytes]] = {
    "image/png": _put_in_png,
    "image/jpeg": _put_in_jpeg,
    "image/webp": _put_in_webp,
    "video/mp4": _put_in_mp4,
}
