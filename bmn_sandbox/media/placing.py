"""Putting a cut-out into a scene: standing on something, hanging on a wall or lying on a table, with the shadow of that."""

import math

from PIL import Image, ImageDraw, ImageFilter

from bmn_sandbox.media.color import BLACK, Color

_COARSE = 4  # shadows are blurred at this much less, which nobody sees


def sized(art: Image.Image, height: float) -> Image.Image:
    """The art at this height."""
    scale = max(height, 8) / art.height
    return art.resize((max(8, round(art.width * scale)), max(8, round(height))), Image.Resampling.LANCZOS)


def stand(canvas: Image.Image, art: Image.Image, x: float, base: float) -> None:
    """Stands art with the middle of its foot at (x, base): it touches the ground, and throws a shadow to the right."""
    alpha = art.getchannel("A")
    wide, high = art.size
    thrown = alpha.resize((max(8, wide // _COARSE), max(8, round(high * 0.34 / _COARSE))))
    lean = 0.9
    room = round(thrown.height * lean)
    slanted = thrown.transform(
        (thrown.width + room, thrown.height),
        Image.Transform.AFFINE,
        (1, lean, -room, 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
    _shade(canvas, slanted, (x - wide / 2, base - slanted.height * _COARSE), blur=wide / 26, opacity=0.3)
    foot = _foot(alpha)
    if foot is not None:
        left, right = foot
        flat = Image.new("L", ((right - left) // _COARSE + 1, max(3, wide // 14 // _COARSE)), 0)
        ImageDraw.Draw(flat).ellipse((0, 0, flat.width - 1, flat.height - 1), fill=255)
        at = (x - wide / 2 + left, base - flat.height * _COARSE * 0.62)
        _shade(canvas, flat, at, blur=wide / 44, opacity=0.62)
    _put(canvas, art, x - wide / 2, base - high)


def hang(canvas: Image.Image, art: Image.Image, x: float, top: float) -> None:
    """Hangs art on a wall: its own outline falls on that, a hand's breadth to the right and below."""
    alpha = art.getchannel("A")
    small = alpha.reduce(_COARSE)
    left, far = x - art.width / 2, art.width / 18
    _shade(canvas, small, (left + far, top + far * 1.3), blur=art.width / 22, opacity=0.3)
    _shade(canvas, small, (left + far / 5, top + far / 4), blur=art.width / 90, opacity=0.26)
    _put(canvas, art, left, top)


def lay(canvas: Image.Image, art: Image.Image, x: float, y: float, turn: float) -> None:
    """Lays art on a table, its middle at (x, y). turn: degrees, counter-clockwise."""
    turned = art.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    small = turned.getchannel("A").reduce(_COARSE)
    left, top = x - turned.width / 2, y - turned.height / 2
    near = max(art.size) / 40
    _shade(canvas, small, (left + near * 0.9, top + near * 1.6), blur=near * 1.4, opacity=0.32)
    _shade(canvas, small, (left + near / 5, top + near / 3), blur=near / 3, opacity=0.34)
    _put(canvas, turned, left, top)


def _put(canvas: Image.Image, art: Image.Image, left: float, top: float) -> None:
    canvas.paste(art.convert("RGB"), (round(left), round(top)), art.getchannel("A"))


def _shade(canvas: Image.Image, shape: Image.Image, at: tuple[float, float], *, blur: float, opacity: float) -> None:
    """shape: at a quarter of the size."""
    margin = max(2, math.ceil(3 * blur / _COARSE))
    room = Image.new("L", (shape.width + 2 * margin, shape.height + 2 * margin), 0)
    room.paste(shape, (margin, margin))
    soft = room.filter(ImageFilter.GaussianBlur(blur / _COARSE)).point([round(v * opacity) for v in range(256)])
    soft = soft.resize((soft.width * _COARSE, soft.height * _COARSE), Image.Resampling.BICUBIC)
    shade(canvas, soft, BLACK, (round(at[0]) - margin * _COARSE, round(at[1]) - margin * _COARSE))


def shade(canvas: Image.Image, where: Image.Image, color: Color, at: tuple[int, int]) -> None:
    """Lays a color where a mask is that may reach beyond the canvas."""
    canvas.paste(tuple(color), (*at, at[0] + where.width, at[1] + where.height), where)


def _foot(alpha: Image.Image) -> tuple[int, int] | None:
    """From where to where the lowest part of a shape reaches, in pixels."""
    low = alpha.crop((0, round(alpha.height * 0.86), alpha.width, alpha.height)).getbbox()
    return (low[0], low[2]) if low else None
