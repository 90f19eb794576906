"""Bundles: the products of several pictures in one scene, on a podium, on a table, laid out, or each in its own field."""

import io
import math
from collections.abc import Callable, Sequence

from PIL import Image

from bmn_sandbox.media import backdrops
from bmn_sandbox.media.canvas import SIZE
from bmn_sandbox.media.color import Color, colors_in
from bmn_sandbox.media.cutout import Product, cut_out
from bmn_sandbox.media.placing import hang, lay, sized, stand

STYLES = ("grid", "lifestyle", "flatlay", "showcase")
_NEUTRAL = Color(112, 124, 140)
_MOST = 10
Palette = list[Color]


def bundle(images: Sequence[bytes], prompt: str) -> bytes:
    """Composes pictures into one PNG of 1024 by 1024.

    images: any pictures that Pillow reads; the first ten are used. prompt: names the style (`grid`, `lifestyle`,
    `flatlay` or `showcase`, the default) and may name brand colors as `#rrggbb`. Raises OSError for no picture.
    """
    lowered = prompt.lower()
    style = next((name for name in STYLES if name in lowered), "showcase")
    palette = [c for c in colors_in(prompt) if c.saturation > 0.15] or colors_in(prompt) or [_NEUTRAL]
    canvas = _SCENES[style]([cut_out(data) for data in images[:_MOST]], palette)
    out = io.BytesIO()
    canvas.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _showcase(products: list[Product], palette: Palette) -> Image.Image:
    """The tallest on a podium in the middle, the others on lower ones beside it; garments on the wall behind."""
    hanging, standing = _parted(products)
    canvas = backdrops.niche(palette)
    _on_wall(canvas, hanging, standing)
    front, back = _rows(standing, 3)
    unit = (620.0 if len(standing) < 3 else 540.0) * (0.86 if hanging else 1.0)
    for place, (x, product) in enumerate(_spread(back, 560 if len(back) > 1 else 0)):
        art = _fitting(product, unit * product.height * _crowd(len(standing)), 560 / max(1, len(back) - 1))
        middle = abs(place - (len(back) - 1) / 2) < 0.6
        top = 742.0 if middle else 806.0
        backdrops.podium(canvas, palette[place % len(palette)], x, top, max(120.0, art.width * 0.64))
        stand(canvas, art, x, top + 14)
    for x, product in _spread(front, 640):
        stand(canvas, _fitting(product, unit * product.height * 0.72, 640 / max(1, len(front) - 1)), x, 968)
    return canvas


def _lifestyle(products: list[Product], palette: Palette) -> Image.Image:
    """On a wooden table in the light of a window; garments on the wall behind it."""
    hanging, standing = _parted(products)
    canvas = backdrops.table(palette)
    _on_wall(canvas, hanging, standing)
    front, back = _rows(standing, 4)
    unit = (800.0 if len(standing) < 3 else 640.0) * (0.86 if hanging else 1.0)
    for row, base, scale in ((back, 820.0 if front else 900.0, 1.0), (front, 984.0, 0.95)):
        for x, product in _spread(row, 620):
            height = unit * product.height * scale * _crowd(len(row) + 1)
            stand(canvas, _fitting(product, height, 620 / max(1, len(row) - 1)), x, base)
    return canvas


def _flatlay(products: list[Product], palette: Palette) -> Image.Image:
    """Laid out on linen between colored papers, seen from above."""
    canvas = backdrops.linen(palette)
    turns = (-7.0, 6.0, 10.0, -5.0, 4.0, -10.0, 7.0, -4.0, 9.0, -6.0)
    rows = _balanced(products, max(1, round(math.sqrt(len(products)))))
    height = SIZE / max(1, len(rows))
    for number, row in enumerate(rows):
        wide = SIZE / len(row)
        for place, product in enumerate(row):
            ratio = product.art.width / product.art.height
            fit = min(height * 0.88, min(wide, SIZE * 0.6) * 0.88 / ratio)
            art = sized(product.art, fit * (0.7 + 0.3 * product.height))
            x = wide * (place + 0.5) + (18 if number % 2 else -18)
            y = height * (number + 0.5) + (-10 if place % 2 else 10)
            lay(canvas, art, x, y, turns[(number * 3 + place) % len(turns)])
    return canvas


def _grid(products: list[Product], palette: Palette) -> Image.Image:
    """Each before its own color."""
    columns = max(1, math.ceil(math.sqrt(len(products))))
    rows = _balanced(products, math.ceil(len(products) / columns))
    canvas, spots = backdrops.fields(palette, [len(row) for row in rows])
    for product, (x, y, wide, high) in zip((p for row in rows for p in row), spots, strict=True):
        height = min(high * 0.74, wide * 0.78 * product.art.height / product.art.width)
        art = sized(product.art, height * (0.76 + 0.24 * product.height))
        if product.hangs:
            hang(canvas, art, x, y - art.height / 2)
        else:
            stand(canvas, art, x, y + high * 0.3 if art.height < high * 0.6 else y + art.height / 2)
    return canvas


_SCENES: dict[str, Callable[[list[Product], Palette], Image.Image]] = {
    "grid": _grid,
    "flatlay": _flatlay,
    "lifestyle": _lifestyle,
    "showcase": _showcase,
}


def _parted(products: list[Product]) -> tuple[list[Product], list[Product]]:
    """Those that hang on the wall, and those that stand before it."""
    return [p for p in products if p.hangs], [p for p in products if not p.hangs]


def _on_wall(canvas: Image.Image, products: list[Product], standing: list[Product]) -> None:
    if not products:
        return
    space = 520.0 if standing else 800.0
    height = min(space, 940 / sum(p.art.width / p.art.height * p.height for p in products))
    rows = _balanced(products, 2) if len(products) > 4 else [products]
    for number, row in enumerate(rows):
        wide = sum(p.art.width / p.art.height * p.height for p in row)
        tall = min(space / len(rows) * 0.96, 940 / wide, height * len(rows))
        gap = (SIZE - wide * tall) / (len(row) + 1)
        x = gap
        for product in row:
            art = sized(product.art, tall * product.height)
            top = 66 + number * space / len(rows)
            backdrops.peg(canvas, x + art.width / 2, top + art.height * 0.02)
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
