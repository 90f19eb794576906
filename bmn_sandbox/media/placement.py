"""Takes a logo as it comes and makes it fit to be printed: background removed, trimmed, bent, projected."""

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageStat

from bmn_sandbox.media.canvas import SIZE, Point
from bmn_sandbox.media.color import Color

_LONGEST = 900  # a larger logo is reduced first: nothing we draw shows more


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo ready to print. art: RGBA, trimmed. ground: the color it stood on, where it had one."""

    art: Image.Image
    ground: Color | None


def read_logo(data: bytes) -> Logo:
    """Opens a logo picture and removes an even background. Raises OSError where it is no picture."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (_LONGEST, _LONGEST))
    art = image.convert("RGBA")
    art.thumbnail((_LONGEST, _LONGEST))
    ground: Color | None = None
    least, _most = art.getchannel("A").getextrema()
    if isinstance(least, int) and least > 250:
        ground = _even_ground(art)
        if ground is not None:
            art = _lifted(art, ground)
    box = art.getchannel("A").point([0] * 24 + [255] * 232).getbbox()
    return Logo(art.crop(box) if box else art, ground)


def _even_ground(art: Image.Image) -> Color | None:
    """The color of all four edges, or None where they are not even."""
    width, height = art.size
    rgb = art.convert("RGB")
    edges = [(0, 0, width, 2), (0, height - 2, width, height), (0, 0, 2, height), (width - 2, 0, width, height)]
    means = []
    for edge in edges:
        stat = ImageStat.Stat(rgb.crop(edge))
        if max(stat.stddev) > 14:
            return None
        means.append(stat.mean)
    if any(max(channel) - min(channel) > 24 for channel in zip(*means, strict=True)):
        return None
    return Color(*(round(sum(channel) / 4) for channel in zip(*means, strict=True)))


def _lifted(art: Image.Image, ground: Color) -> Image.Image:
    """The art without its ground: opaque where it differs clearly, a ramp in between for smooth edges."""
    rgb = art.convert("RGB")
    difference = ImageChops.difference(rgb, Image.new("RGB", art.size, tuple(ground)))
    red, green, blue = difference.split()
    distance = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    alpha = distance.point([min(255, max(0, round((value - 8) * 255 / 70))) for value in range(256)])
    lifted = rgb.convert("RGBA")
    lifted.putalpha(alpha)
    return lifted


def fitted(art: Image.Image, width: float, height: float) -> Image.Image:
    """The art as large as it may be inside a box, its proportions kept."""
    scale = min(width / art.width, height / art.height)
    return art.resize((max(1, round(art.width * scale)), max(1, round(art.height * scale))), Image.Resampling.LANCZOS)


def print_flat(
    canvas: Image.Image,
    art: Image.Image,
    centre: Point,
    across: Point,
    down: Point,
    *,
    opacity: float = 0.96,
) -> None:
    """Prints art on a plane. across, down: its unit steps on the screen, (1, 0) and (0, 1) where it faces us."""
    (ux, uy), (vx, vy) = across, down
    determinant = ux * vy - uy * vx
    a, b = vy / determinant, -vx / determinant
    d, e = -uy / determinant, ux / determinant
    cx, cy = centre
    c = art.width / 2 - a * cx - b * cy
    f = art.height / 2 - d * cx - e * cy
    layer = _transparent(art).transform(
        (SIZE, SIZE), Image.Transform.AFFINE, (a, b, c, d, e, f), resample=Image.Resampling.BICUBIC
    )
    _lay(canvas, layer, opacity)


def print_round(
    canvas: Image.Image,
    art: Image.Image,
    centre: Point,
    radius: float,
    *,
    bulge: float = 0.0,
    opacity: float = 0.96,
) -> None:
    """Prints art around an upright cylinder that faces us.

    radius: of the cylinder, in pixels. bulge: how much lower its front is than its sides (seen from above), in pixels.
    """
    half = min(art.width / 2 / radius, 1.35)  # the angle that half of the art takes
    reach = math.sin(half) * radius
    strips = 40
    cx, cy = centre
    top, bottom = cy - art.height / 2 - abs(bulge), cy + art.height / 2 + abs(bulge)
    mesh = []

    def source(x: float) -> tuple[float, float]:
        angle = math.asin(max(-1.0, min(1.0, x / radius)))
        return art.width / 2 + angle * radius, bulge * (math.cos(angle) - math.cos(half))

    for strip in range(strips):
        left, right = (-reach + 2 * reach * (strip + side) / strips for side in (0, 1))
        (sl, dl), (sr, dr) = source(left), source(right)
        box = (round(cx + left), round(top), round(cx + right), round(bottom))
        if box[0] == box[2]:  # narrower than a pixel
            continue
        y0, y1 = box[1] - (cy - art.height / 2), box[3] - (cy - art.height / 2)
        mesh.append((box, (sl, y0 - dl, sl, y1 - dl, sr, y1 - dr, sr, y0 - dr)))
    layer = _transparent(art).transform((SIZE, SIZE), Image.Transform.MESH, mesh, resample=Image.Resampling.BICUBIC)
    _lay(canvas, layer, opacity)


def _transparent(art: Image.Image) -> Image.Image:
    """The art with an empty margin's worth of transparency at its border, so that a transform smears nothing."""
    framed = Image.new("RGBA", art.size)
    inner = art.crop((1, 1, art.width - 1, art.height - 1)) if min(art.size) > 4 else art
    framed.paste(inner, (1, 1))
    return framed


def _lay(canvas: Image.Image, layer: Image.Image, opacity: float) -> None:
    alpha = layer.getchannel("A").point([round(value * opacity) for value in range(256)])
    canvas.paste(layer.convert("RGB"), mask=alpha)
