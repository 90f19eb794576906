"""Bundles: the products of several pictures in one scene, on a podium, on a table, laid out, or each in its own field."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from PIL import Image

from bmn_sandbox.media import backdrops
from bmn_sandbox.media.arranging import Item, Spot, Stage, laid_out, staged
from bmn_sandbox.media.canvas import SIZE
from bmn_sandbox.media.color import Color, colors_in
from bmn_sandbox.media.cutout import Product, cut_out, main_color, upright
from bmn_sandbox.media.folding import folded
from bmn_sandbox.media.placing import hang, lay, sized, stand

STYLES = ("grid", "lifestyle", "flatlay", "showcase")
_NEUTRAL = Color(112, 124, 140)
_MOST = 10
_LARGE = 60.0  # centimeters: what is lower is shown a little smaller in a field of its own
Palette = list[Color]


def bundle(images: Sequence[bytes], prompt: str) -> bytes:
    """Composes pictures into one PNG of 1024 by 1024.

    images: any pictures that Pillow reads; the first ten are used. prompt: names the style (`grid`, `lifestyle`,
    `flatlay` or `showcase`, the default) and may name brand colors as `#rrggbb`. Raises OSError for no picture.
    """
    lowered = prompt.lower()
    style = next((name for name in STYLES if name in lowered), "showcase")
    palette = [c for c in colors_in(prompt) if c.saturation > 0.15] or colors_in(prompt) or [_NEUTRAL]
    canvas = backdrops.graded(_SCENES[style]([cut_out(data) for data in images[:_MOST]], palette))
    out = io.BytesIO()
    canvas.save(out, "PNG", compress_level=4)
    return out.getvalue()


_WALL = backdrops.RAIL + 20
SHOWCASE = Stage(70, 954, back=908, front=846, above=_WALL, hanging=560, standing=600, near=1.0, apart=30)
LIFESTYLE = Stage(60, 964, back=858, front=944, above=_WALL, hanging=560, standing=640, apart=120)
_PRINTS_STAND = 3  # more prints hang
_THIN = ("notebook", "print")
_FOOT = 968.0  # of the podiums
_PEDESTAL = 1.24  # how much broader a podium is than what stands on it


def _showcase(products: list[Product], palette: Palette) -> Image.Image:
    """On podiums before an arch, the tallest in the middle; where they are many, low ones on the floor before them."""
    hanging, standing = _parted(products)
    canvas = backdrops.niche(palette, 790)
    if hanging:
        backdrops.rail(canvas)
    spots = _staged(hanging, standing, SHOWCASE, _PEDESTAL)
    shown = [*hanging, *standing]
    raised = [spot for spot in spots if spot.row == 1]
    for spot in spots:
        item = shown[spot.number]
        if not spot.row:
            _hung(canvas, item, spot)
        elif spot.row == 1:
            radius = max(52.0, (spot.box[2] - spot.box[0]) / 2 * _PEDESTAL)
            base = spot.box[3]
            color = palette[raised.index(spot) % len(palette)]
            surface = backdrops.podium(canvas, color, spot.middle, base - 8, radius, max(_FOOT, base + 50))
            _stood(canvas, item, spot, surface)
        else:
            _stood(canvas, item, spot)
    return canvas


def _lifestyle(products: list[Product], palette: Palette) -> Image.Image:
    """On a wooden table in the light of a window, the tall ones behind the low ones; garments on a rail above it."""
    hanging, standing = _parted(products)
    canvas = backdrops.table(palette, 706)
    if hanging:
        backdrops.rail(canvas)
    shown = [*hanging, *standing]
    for spot in _staged(hanging, standing, LIFESTYLE):
        if spot.row:
            _stood(canvas, shown[spot.number], spot)
        else:
            _hung(canvas, shown[spot.number], spot)
    return canvas


def _staged(hanging: list[Product], standing: list[Product], stage: Stage, foot: float = 1.0) -> list[Spot]:
    if hanging and standing:
        stage = replace(stage, standing=370.0)
    elif hanging:
        stage = replace(stage, hanging=860.0)
    else:
        stage = replace(stage, aside=0.0)
    return staged([_item(p) for p in hanging], [_item(p, foot) for p in standing], stage)


def _item(product: Product, foot: float = 1.0) -> Item:
    return Item(product.wide, product.tall, product.print, foot)


def _stood(canvas: Image.Image, product: Product, spot: Spot, surface: Image.Image | None = None) -> None:
    """What is too thin to stand by itself stands in a slotted block."""
    stand(canvas, sized(product.art, spot.high), spot.middle, spot.box[3], surface)
    if product.kind in _THIN:
        backdrops.block(canvas, spot.middle, spot.box[3], (spot.box[2] - spot.box[0]) * 0.62)


def _hung(canvas: Image.Image, product: Product, spot: Spot) -> None:
    art = sized(product.art, spot.high)
    if spot.box[1] < backdrops.RAIL + 40 and product.kind not in ("stickers", "print"):
        backdrops.hook(canvas, spot.middle, spot.box[1] + spot.high * 0.05)
    hang(canvas, art, spot.middle, spot.box[1])


_TURN = 6.0  # degrees that all of a flat lay is turned, as one
_LAID_SIDE, _LAID_GAP = 892.0, 34.0
_NEARER = 0.42


def _flatlay(products: list[Product], palette: Palette) -> Image.Image:
    """Laid out on linen and papers, seen from above: garments folded, all in one direction and none on another."""
    canvas = backdrops.linen(palette)
    lying = [folded(product) for product in products]
    cos, sin = math.cos(math.radians(_TURN)), math.sin(math.radians(_TURN))
    for spot in laid_out([_seen_near(_item(product)) for product in lying], _LAID_SIDE, _LAID_GAP):
        x, y = spot.middle, (spot.box[1] + spot.box[3]) / 2
        at = (SIZE / 2 + x * cos + y * sin, SIZE / 2 - x * sin + y * cos)
        lay(canvas, sized(lying[spot.number].art, spot.high), *at, _TURN)
    return canvas


def _seen_near(item: Item) -> Item:
    """As a lens above a table sees it: what is small is looked at, and not lost beside a garment."""
    larger = (_LARGE / item.tall) ** _NEARER
    return replace(item, wide=item.wide * larger, tall=item.tall * larger)


def _grid(products: list[Product], palette: Palette) -> Image.Image:
    """Each in a room of its own color; the narrow ones where a row has more of them."""
    columns = max(1, math.ceil(math.sqrt(len(products))))
    narrow = sorted((p if p.hangs else upright(p) for p in products), key=lambda p: p.wide)
    rows = _balanced(narrow, math.ceil(len(products) / columns))
    shown = [[(Color(*main_color(product)), product.hangs) for product in row] for row in rows]
    canvas, spots = backdrops.fields(palette, shown)
    for product, (x, y, wide, high) in zip((p for row in rows for p in row), spots, strict=True):
        height = min(high * 0.82, wide * 0.84 * product.art.height / product.art.width)
        art = sized(product.art, height * min(1.0, (product.tall / _LARGE) ** 0.24))
        if product.hangs:
            hang(canvas, art, x, y - art.height / 2)
        else:
            stand(canvas, art, x, y + min(high * 0.4, max(high * 0.32, art.height / 2)))
    return canvas


_SCENES: dict[str, Callable[[list[Product], Palette], Image.Image]] = {
    "grid": _grid,
    "flatlay": _flatlay,
    "lifestyle": _lifestyle,
    "showcase": _showcase,
}


def _parted(products: list[Product]) -> tuple[list[Product], list[Product]]:
    """Those that hang on the wall, as prints do where they are many, and those that stand before it."""
    many = sum(p.kind == "print" for p in products) > _PRINTS_STAND
    hanging = [p for p in products if p.hangs or (many and p.kind == "print")]
    standing = [p for p in products if not (p.hangs or (many and p.kind == "print"))]
    return hanging, [upright(p) for p in standing]


def _balanced(products: list[Product], rows: int) -> list[list[Product]]:
    """So many rows, none much longer than another."""
    size, longer = divmod(len(products), max(1, rows))
    found: list[list[Product]] = []
    at = 0
    for number in range(max(1, rows)):
        end = at + size + (1 if number < longer else 0)
        found.append(products[at:end])
        at = end
    return [row for row in found if row]
