"""Bundles: the products of several pictures in one scene, on a podium, on a table, laid out, or each in its own field."""

import io
import math
from collections.abc import Callable, Sequence

from PIL import Image

from bmn_sandbox.media import backdrops
from bmn_sandbox.media.canvas import SIZE
from bmn_sandbox.media.color import Color, colors_in
from bmn_sandbox.media.cutout import Product, cut_out, main_color, upright
from bmn_sandbox.media.placing import hang, lay, sized, stand

STYLES = ("grid", "lifestyle", "flatlay", "showcase")
_NEUTRAL = Color(112, 124, 140)
_MOST = 10
_SEEN_FROM_THE_SIDE = {"mug", "box", "cap", "carrier_bag"}  # which look upset when they are turned
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


def _showcase(products: list[Product], palette: Palette) -> Image.Image:
    """On podiums before an arch, the tallest in the middle; low ones on the floor before them, garments on a rail."""
    hanging, standing = _parted(products)
    canvas = backdrops.niche(palette, 800)
    _on_rail(canvas, hanging, standing)
    front, back = _rows(standing, 3)
    unit = _unit(standing, hanging) * (0.86 if front else 1.0)
    spread = [(x + _aside(standing, hanging), product) for x, product in _spread(back, 580)]
    middle = (len(back) - 1) / 2
    # From the sides inward, so that the one in the middle stands before none of the others.
    for place in sorted(range(len(spread)), key=lambda at: -abs(at - middle)):
        x, product = spread[place]
        art = _fitting(product, unit * product.height, 640 / max(1, len(back) - 1))
        central = abs(place - middle) < 0.6
        top, foot = (786.0, 930.0) if central else (862.0, 966.0)
        top, foot = (top - 40, foot - 40) if front else (top, foot)
        backdrops.podium(canvas, palette[place % len(palette)], x, top, max(120.0, art.width * 0.6), foot)
        stand(canvas, art, x, top + 14)
    for x, product in _spread(front, 740):
        stand(canvas, _fitting(product, unit * product.height * 0.84, 740 / max(1, len(front) - 1)), x, 1000)
    return canvas


def _lifestyle(products: list[Product], palette: Palette) -> Image.Image:
    """On a wooden table in the light of a window, the tall ones behind the low ones; garments on a rail above it."""
    hanging, standing = _parted(products)
    canvas = backdrops.table(palette, 690)
    _on_rail(canvas, hanging, standing)
    unit = _unit(standing, hanging)
    for x, base, product in _staggered(standing):
        height = unit * product.height * _crowd(min(4, len(standing))) * (base / 860)
        art = _fitting(product, height, 1300 / max(2, len(standing)))
        stand(canvas, art, x + _aside(standing, hanging), base)
    return canvas


def _unit(standing: list[Product], hanging: list[Product]) -> float:
    """How many pixels high a T-shirt would be among those that stand: few are shown large, one fills the picture."""
    if not standing:
        return 0.0
    tallest = max(product.height for product in standing)
    most = 1500.0 if len(standing) == 1 else 860.0 if len(standing) == 2 else 700.0
    return min(most, (430.0 if hanging else 570.0) / tallest)


def _aside(standing: list[Product], hanging: list[Product]) -> float:
    """One before one: beside its middle, so that both are seen."""
    return 190.0 if len(standing) == len(hanging) == 1 else 0.0


def _staggered(products: list[Product]) -> list[tuple[float, float, Product]]:
    """Where each stands, the farthest first: the tallest far back in the middle, every second one nearer, few or many."""
    front, back = _rows(products, 3 if len(products) < 4 else -(-len(products) // 2))
    if front:
        step = 620 / max(1, len(back) - 1)
        near = _spread(front, step * (len(front) - 1) if len(front) < len(back) else 640)
        return [*((x, 850.0, p) for x, p in _spread(back, 620)), *((x, 972.0, p) for x, p in near)]
    middle = (len(back) - 1) / 2
    found = [(x, 868.0 if abs(at - middle) < 0.6 else 944.0, p) for at, (x, p) in enumerate(_spread(back, 560))]
    return sorted(found, key=lambda each: each[1])


def _flatlay(products: list[Product], palette: Palette) -> Image.Image:
    """Laid out on linen and papers, seen from above: the large ones first, the small ones over their edges."""
    canvas = backdrops.linen(palette)
    turns = (-7.0, 6.0, 10.0, -9.0, 8.0, -10.0, 7.0, -4.0, 9.0, -6.0)
    rows = _filled(products, max(1, round(math.sqrt(len(products)))))
    tall, wide = [max(_high(p) for p in row) for row in rows], [sum(_broad(p) for p in row) for row in rows]
    unit = min(
        1.05 * SIZE / sum(tall), 1.03 * SIZE / max(wide), (0.6 if len(products) == 1 else 0.86) * SIZE / max(tall)
    )
    top, spare = 0.0, (SIZE - unit * sum(tall)) / len(rows)
    for number, row in enumerate(rows):
        left, gap = 0.0, (SIZE - unit * wide[number]) / len(row)
        for place, product in enumerate(row):
            broad = unit * _broad(product) + gap
            y = top + (unit * tall[number] + spare) / 2 + (-14 if place % 2 else 14)
            turn = 0.0 if product.kind in _SEEN_FROM_THE_SIDE else turns[(number * 3 + place) % len(turns)]
            lay(canvas, sized(product.art, unit * _high(product)), left + broad / 2, y, turn)
            left += broad
        top += unit * tall[number] + spare
    return canvas


def _high(product: Product) -> float:
    """How high it is shown beside others; what is small is not shown quite as small as it is."""
    return float(product.height**0.7)


def _broad(product: Product) -> float:
    return _high(product) * product.art.width / product.art.height


def _filled(products: list[Product], rows: int) -> list[list[Product]]:
    """The tallest in the first row, and each row about as wide as the others."""
    total, passed = sum(_broad(p) for p in products), 0.0
    found: list[list[Product]] = [[] for _ in range(rows)]
    for product in sorted(products, key=lambda p: -p.height):
        found[min(rows - 1, int((passed + _broad(product) / 2) / total * rows))].append(product)
        passed += _broad(product)
    return [row for row in found if row]


def _grid(products: list[Product], palette: Palette) -> Image.Image:
    """Each in a room of its own color; the narrow ones where a row has more of them."""
    columns = max(1, math.ceil(math.sqrt(len(products))))
    narrow = sorted(
        (p if p.hangs else upright(p) for p in products), key=lambda p: p.art.width / p.art.height * p.height
    )
    rows = _balanced(narrow, math.ceil(len(products) / columns))
    shown = [[(Color(*main_color(product)), product.hangs) for product in row] for row in rows]
    canvas, spots = backdrops.fields(palette, shown)
    for product, (x, y, wide, high) in zip((p for row in rows for p in row), spots, strict=True):
        height = min(high * 0.82, wide * 0.84 * product.art.height / product.art.width)
        art = sized(product.art, height * (0.8 + 0.2 * product.height))
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
    """Those that hang on the wall, and those that stand before it."""
    return [p for p in products if p.hangs], [upright(p) for p in products if not p.hangs]


def _on_rail(canvas: Image.Image, products: list[Product], standing: list[Product]) -> None:
    """Side by side from edge to edge, each on its hook."""
    if not products:
        return
    space = 590.0 if standing else 880.0
    rows = _balanced(products, 2) if len(products) > 4 else [products]
    backdrops.rail(canvas)
    for number, row in enumerate(rows):
        wide = sum(p.art.width / p.art.height * p.height for p in row)
        tall = min(space / len(rows), 990 / wide)
        gap = (SIZE - wide * tall) / (len(row) + 1)
        x, top = gap - 0.5 * _aside(standing, products), backdrops.RAIL + 22 + number * space / len(rows) * 0.9
        for product in row:
            art = sized(product.art, tall * product.height)
            if not number:
                backdrops.hook(canvas, x + art.width / 2, top + art.height * 0.05)
            hang(canvas, art, x + art.width / 2, top)
            x += art.width + gap


def _rows(products: list[Product], most: int) -> tuple[list[Product], list[Product]]:
    """The low ones for the front, and the tall ones for the back, the tallest of them in the middle."""
    tallest = sorted(products, key=lambda p: -p.height)
    back, front = tallest[:most], tallest[most:]
    return front, [*back[1::2], *back[:1], *back[2::2]]


def _fitting(product: Product, height: float, room: float) -> Image.Image:
    """As high as this, or as its neighbors leave room for."""
    return sized(product.art, min(height, 0.98 * room * product.art.height / product.art.width))


def _crowd(count: int) -> float:
    """How much smaller each is where many stand beside each other."""
    return min(1.0, 3.4 / max(count, 1)) if count > 3 else 1.0


def _spread(products: list[Product], width: float) -> list[tuple[float, Product]]:
    """Evenly over so many pixels, around the middle."""
    if len(products) < 2:
        return [(SIZE / 2, product) for product in products]
    step = width / (len(products) - 1)
    return [(SIZE / 2 - width / 2 + step * place, product) for place, product in enumerate(products)]


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
