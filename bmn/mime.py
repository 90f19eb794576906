"""What bytes are, by their first ones: a name, a header or a vendor can be wrong about them."""

OCTETS = "application/octet-stream"
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftyp", "video/mp4"),
)


def mime_of(data: bytes) -> str:
    """The type of a picture or film; `application/octet-stream` for what we do not know."""
    return next((mime for at, magic, mime in _SIGNATURES if data[at : at + len(magic)] == magic), OCTETS)
