"""Pictures as an agent looks at them: small enough for a conversation, whatever their size was."""

import io
from dataclasses import dataclass

from bmn.cli.following.pictures import open_picture

LEAST, MOST = 64, 1024
"""How many pixels the longer side may be asked to have."""

_MOST_BYTES = 256 * 1024  # base64 makes a third more of it
_QUALITIES = (88, 75, 60, 40)


@dataclass(frozen=True, slots=True)
class Seen:
    """A JPEG of at most 256 KiB. width, height: of the picture that it shows, in pixels."""

    data: bytes
    width: int
    height: int


def shown(data: bytes, side: int) -> Seen | None:
    """A picture whose longer side has at most so many pixels, on white where it is transparent; None for no picture."""
    picture = open_picture(data)
    if picture is None:
        return None
    width, height = picture.size
    picture.thumbnail((side, side))
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= _MOST_BYTES:
                return Seen(file.getvalue(), width, height)
        picture.thumbnail((max(1, picture.width // 2), max(1, picture.height // 2)))
