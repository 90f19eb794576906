"""A product that turns about its upright axis: flat things show their edge, round ones move their print around them."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from bmn_sandbox.media.color import WHITE
from bmn_sandbox.media.cuboid import coefficients, turned_carton
from bmn_sandbox.media.cutout import Product

Turned = Callable[
    [float], Image.Image
]  # degrees to the picture; what stands nearer comes from the left where they grow
Pixels = npt.NDArray[np.float32]

_BODIES = {  # where the straight part of a round thing is in its picture: left, top, right, bottom, as shares
    "mug": (0.0, 0.24, 0.7, 0.84),
    "bottle": (0.0, 0.36, 1.0, 0.94),
}
_EDGES = {"notebook": 0.09, "poster": 0.05, "print": 0.02}  # how thick flat things are, beside their width
_SLICE = 5  # pixels of an edge that are drawn at once
_PAPER, _BACK = (216, 212, 202, 255), (150, 146, 138, 255)
_BARE = 0.06  # of a round body, from its top: no print is there, so that one sees the light alone


def turner(product: Product, art: Image.Image) -> Turned:
    """The product at any angle, each quarter of a degree drawn once. art: its picture at the size it is shown in."""
    make: Turned
    if product.kind == "box":
        make = lambda degrees: turned_carton(art, degrees)  # noqa: E731
    elif product.kind in _BODIES:
        make = _round(art, _BODIES[product.kind])
    else:
        edge = _EDGES.get(product.kind, 0.0) * art.width
        make = lambda degrees: _with_edge(art, degrees, edge)  # noqa: E731

    @cache
    def seen(quarters: int) -> Image.Image:
        return lit(make(quarters / 4), 0.5 - quarters / 240, strength=0.0 if product.kind == "box" else 0.2)

    return lambda degrees: seen(round(4 * degrees))


def lit(art: Image.Image, place: float, *, strength: float = 0.2) -> Image.Image:
    """A band of light over the art. place: 0 at its left edge, 1 at its right."""
    strip = Image.new("L", (128, 1))
    strip.putdata([round(255 * strength * math.exp(-(((v / 127 - place) / 0.13) ** 2))) for v in range(128)])
    band = ImageChops.multiply(strip.resize(art.size, Image.Resampling.BICUBIC), art.getchannel("A"))
    shone = art.copy()
    shone.paste((*WHITE, 255), (0, 0), band)
    shone.putalpha(art.getchannel("A"))
    return shone


def _round(art: Image.Image, shares: tuple[float, float, float, float]) -> Turned:
    """Its light stays where it is, and what is printed on it moves around."""
    left, right = round(art.width * shares[0]), round(art.width * shares[2])
    top, bottom = round(art.height * shares[1]), round(art.height * shares[3])
    body = np.asarray(art.convert("RGB").crop((left, top, right, bottom)), np.float32)
    light = np.maximum(body[: max(1, round(len(body) * _BARE))].mean(axis=0, keepdims=True), 1)
    outside = np.asarray(art.getchannel("A").crop((left, top, right, bottom))) < 250
    print_, wide = np.clip(body / light, 0, 16), right - left
    print_[outside] = 1.0
    across = np.clip((np.arange(wide) + 0.5) / wide * 2 - 1, -0.999, 0.999)
    angles = np.arcsin(across)

    def at(degrees: float) -> Image.Image:
        source = angles - math.radians(degrees)
        seen = np.abs(source) < math.radians(76)  # beyond that there is no print to be seen
        columns = np.clip(((np.sin(source) + 1) / 2 * wide).astype(int), 0, wide - 1)
        shown: Pixels = print_[:, columns] * light
        shown[:, ~seen] = light[:, ~seen]
        turned = art.copy()
        part = Image.fromarray(shown.clip(0, 255).astype(np.uint8))
        turned.paste(part, (left, top))
        turned.putalpha(art.getchannel("A"))
        return _handle_turned(turned, right, degrees) if right < art.width * 0.95 else turned

    return at


def _handle_turned(art: Image.Image, body: int, degrees: float) -> Image.Image:
    """What sticks out on the right of a round body is seen shorter the farther it has turned. body: its right edge."""
    handle = art.crop((body, 0, art.width, art.height))
    short = max(4, round(handle.width * math.cos(math.radians(degrees * 0.9))))
    turned = Image.new("RGBA", art.size)
    turned.paste(art.crop((0, 0, body, art.height)), (0, 0))
    turned.paste(handle.resize((short, art.height), Image.Resampling.BILINEAR), (body, 0))
    return turned


def _with_edge(art: Image.Image, degrees: float, thick: float) -> Image.Image:
    """In perspective, with its edge behind it. thick: in pixels."""
    front = _in_perspective(art, degrees)
    far = round(thick * math.sin(math.radians(degrees)))
    if not far:
        return front
    alpha = front.getchannel("A")
    # Behind it lies its own outline, moved a few pixels at a time; only the strip beside it is ever seen.
    steps = max(1, abs(far) // _SLICE)
    for step in range(1, steps + 1):
        moved = ImageChops.subtract(ImageChops.offset(alpha, -far * step // steps, 0), front.getchannel("A"))
        front.paste(_PAPER if step < steps else _BACK, mask=moved)
    return front


def _in_perspective(art: Image.Image, degrees: float) -> Image.Image:
    """As a camera at arm's length sees it: the near edge is higher than the far one."""
    wide, high = art.size
    angle = math.radians(degrees)
    narrow, near = wide / 2 * math.cos(angle), 0.13 * high * math.sin(angle)
    left, right = wide / 2 - narrow, wide / 2 + narrow
    corners = [(left, -near / 2), (right, near / 2), (right, high - near / 4), (left, high + near / 4)]
    low = min(y for _, y in corners)
    shifted = [(x, y - low) for x, y in corners]
    tall = math.ceil(max(y for _, y in shifted))
    source = ((0.0, 0.0), (float(wide), 0.0), (float(wide), float(high)), (0.0, float(high)))
    numbers = coefficients((shifted[0], shifted[1], shifted[2], shifted[3]), source)
    return art.transform((wide, tall), Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR)
