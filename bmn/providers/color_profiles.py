"""Color profiles inside of pictures: as long as they say of themselves, with nothing before, between or behind."""

import zlib
from collections.abc import Sequence

_HEAD = 128  # bytes, in which every profile says its size and that it is one
_LONGEST = 4 * 2**20
_JPEG_NAME = b"ICC_PROFILE\0"
_JPEG_PART = 0xFFFF - 2 - len(_JPEG_NAME) - 2


def profile_of(data: bytes) -> bytes:
    """The profile alone; empty for what is none."""
    size = int.from_bytes(data[:4])
    return data[:size] if _HEAD <= size <= len(data) and data[36:40] == b"acsp" else b""


def in_png(body: bytes) -> bytes:
    """The body of an iCCP chunk, written anew without the name that it had; empty where it holds no profile."""
    _, _, packed = body.partition(b"\0")
    try:
        profile = profile_of(zlib.decompressobj().decompress(packed[1:], _LONGEST))
    except zlib.error:
        return b""
    return b"icc\0\0" + zlib.compress(profile) if profile else b""


def in_jpeg(bodies: Sequence[bytes]) -> bytes:
    """The APP2 segments of a profile, written anew; empty where they hold none. bodies: those of all that a picture has."""
    parts = sorted(body[len(_JPEG_NAME) :] for body in bodies if body.startswith(_JPEG_NAME))
    if not parts or parts[0][1:2] != bytes([len(parts) & 0xFF]):
        return b""
    profile = profile_of(b"".join(part[2:] for part in parts))
    pieces = [profile[at : at + _JPEG_PART] for at in range(0, len(profile), _JPEG_PART)]
    return b"".join(
        b"\xff\xe2" + (len(piece) + len(_JPEG_NAME) + 4).to_bytes(2) + _JPEG_NAME + bytes((number, len(pieces))) + piece
        for number, piece in enumerate(pieces, 1)
    )
