"""A product that turns about its upright axis: flat things show their edge, round ones move their print around them."""

import math
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageChops

from bmn_sandbox.media.color import WHITE
from bmn_sandbox.media.cuboid import coefficients, turned_carton
from bmn_sandbox.media.cutout import Product
from bmn_sandbox.media.rounds import ROUNDS, turned_round

Turned = Callable[
    [float], Image.Image
]  # degrees to the picture; what stands nearer comes from the left where they grow

_EDGES = {"notebook": 0.09, "poster": 0.05, "print": 0.02}  # how thick flat things are, beside their width
_SOLID = {"box", *ROUNDS}  # their light stays where it is
_SLICE = 5  # pixels of an edge that are drawn at once
_PAPER, _BACK = (216, 212, 202, 255), (150, 146, 138, 255)


def turner(product: Product, art: Image.Image) -> Turned:
    """The product at any angle, each quarter of a degree drawn once. art: its picture at the size it is shown in."""
    make: Turned
    if product.kind == "box":
        make = lambda degrees: turned_carton(art, degrees)  # noqa: E731
    elif product.kind in ROUNDS:
        make = turned_round(art, ROUNDS[product.kind])
    else:
        edge = _EDGES.get(product.kind, 0.0) * art.width
        make = lambda degrees: _with_edge(art, degrees, edge)  # noqa: E731

    @cache
    def seen(quarters: int) -> Image.Image:
        shown = make(quarters / 4)
        return shown if product.kind in _SOLID else lit(shown, 0.5 - quarters / 240)

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


def _with_edge(art: Image.Image, degrees: float, thick: float) -> Image.Image:
    """In perspective, with its edge behind it. thick: in pixels."""
    front = _in_perspective(art, degrees)
    far = round(thick * math.sin(math.radians(degrees)))
    if not far:
        return front
    alpha, (wide, high) = front.getchannel("A"), front.size
    # Behind it lies its own outline, moved a few pixels at a time; only the strip beside it is ever seen.
    steps = max(1, abs(far) // _SLICE)
    for step in range(1, steps + 1):
        aside = far * step // steps
        moved = ImageChops.subtract(alpha.crop((aside, 0, wide + aside, high)), front.getchannel("A"))
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
