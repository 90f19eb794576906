"""Putting a cut-out into a scene: standing on something, hanging on a wall or lying on a table, with the shadow of that."""

import math

from PIL import Image, ImageChops, ImageFilter

from bmn_sandbox.media.color import BLACK, Color

_COARSE = 4  # shadows are blurred at this much less, which nobody sees


def sized(art: Image.Image, height: float) -> Image.Image:
    """The art at this height."""
    scale = max(height, 8) / art.height
    return art.resize((max(8, round(art.width * scale)), max(8, round(height))), Image.Resampling.LANCZOS)


def stand(canvas: Image.Image, art: Image.Image, x: float, base: float, surface: Image.Image | None = None) -> None:
    """Stands art with the middle of its foot at (x, base).

    It touches the ground, and throws a shadow over it to the right, which is softer and weaker the farther it reaches.
    surface: a mask of what it stands on, where that ends; no shadow falls beyond.
    """
    alpha = art.getchannel("A")
    wide, high = art.size
    small = alpha.reduce(_COARSE)
    ground = canvas if surface is None else canvas.copy()
    slanted = _thrown(small)
    at = (x - wide / 2, base - slanted.height * _COARSE + 2)
    _shade(ground, slanted, at, blur=max(8.0, min(wide, high) / 11), opacity=0.5)
    near = slanted.crop((0, slanted.height // 2, slanted.width, slanted.height))
    near = ImageChops.multiply(near, Image.linear_gradient("L").resize(near.size))
    _shade(ground, near, (at[0], base - near.height * _COARSE + 2), blur=max(4.0, min(wide, high) / 26), opacity=0.5)
    # Where it touches: the lowest part of its own outline, whatever its form, a little lower.
    reach = high / 26
    low = small.crop((0, small.height * 3 // 4, small.width, small.height))
    low = ImageChops.multiply(low, Image.linear_gradient("L").resize(low.size))  # it ends nowhere up its sides
    touch = (x - wide / 2 + reach * 0.1, base - low.height * _COARSE + max(3.0, reach * 0.3))
    _shade(ground, low, touch, blur=max(3.0, reach * 0.36), opacity=0.6)
    if surface is not None:
        canvas.paste(ground, mask=surface)
    _put(canvas, art, x - wide / 2, base - high)


def _thrown(alpha: Image.Image) -> Image.Image:
    """The shadow on the ground of a shape that the light reaches from the left: slanted, and weaker the farther it is."""
    flat = alpha.resize((alpha.width, max(4, round(alpha.height * 0.25))))
    lean = 1.5
    room = round(flat.height * lean)
    slanted = flat.transform(
        (flat.width + room, flat.height),
        Image.Transform.AFFINE,
        (1, lean, -room, 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
    fading = Image.linear_gradient("L").resize(slanted.size)
    return ImageChops.multiply(slanted, fading)


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
