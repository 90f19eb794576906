"""A picture of what a prompt asks for, for vendors that draw anything: a logo, or else a product."""

import io
import re
import zlib

from bmn_sandbox.media.logo.logos import render_logo
from bmn_sandbox.media.products import mockup

_LOGO = re.compile(r"(?i)\W*(?:[\w-]+\s+){0,3}logo for\b")
_SIDE = 1024


def picture_asked(prompt: str, image: bytes | None) -> bytes:
    """PNG, 1024 pixels a side. image: what it starts from. Raises OSError where that is no picture."""
    if not _LOGO.match(prompt):
        return mockup(image, prompt)
    buffer = io.BytesIO()
    render_logo(prompt, zlib.crc32(prompt.encode()), (_SIDE, _SIDE), image).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
