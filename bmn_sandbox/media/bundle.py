"""Bundles: several product pictures composed on one backdrop, in one of four styles."""

import io
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from bmn_sandbox.media.canvas import SIZE, ellipse, floor_shadow, mask, moved, paint, ramp, soft, studio
from bmn_sandbox.media.color import BLACK, WHITE, Color, colors_in

STYLES = ("grid", "lifestyle", "flatlay", "showcase")
_NEUTRAL = Color(112, 124, 140)


class Spot(NamedTuple):
    """Where a picture goes: its middle, the length of its side, its turn in degrees (counter-clockwise)."""

    x: float
    y: float
    side: float
    turn: float = 0.0


def bundle(images: Sequence[bytes], prompt: str) -> bytes:
    """Composes pictures into one PNG of 1024 by 1024.

    images: any pictures that Pillow reads; the first ten are used. prompt: names the style (`grid`, `lifestyle`,
    `flatlay` or `showcase`, the default) and may name brand colors as `#rrggbb`. Raises OSError for no picture.
    """
    lowered = prompt.lower()
    style = next((name for name in STYLES if name in lowered), "showcase")
    palette = [c for c in colors_in(prompt) if c.saturation > 0.15] or colors_in(prompt) or [_NEUTRAL]
    pictures = [_opened(data) for data in images[:10]]
    canvas, spots, corner = _LAYOUTS[style](max(len(pictures), 1), palette)
    for picture, spot in zip(pictures, spots, strict=False):
        _place(canvas, picture, spot, corner)
    out = io.BytesIO()
    canvas.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (SIZE, SIZE))
        flat = Image.new("RGB", image.size, tuple(WHITE))
        rgba = image.convert("RGBA")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat


Layout = tuple[Image.Image, list[Spot], float]


def _grid(count: int, palette: list[Color]) -> Layout:
    """Even tiles on a colored ground; the last row is centred."""
    brand = palette[0]
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(brand.mixed(BLACK, 0.12)))
    paint(canvas, soft(ellipse(420, 360, 430, 430), 200), brand.mixed(WHITE, 0.22))
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    gap = 28.0
    side = min((SIZE - gap * (columns + 3)) / columns, (SIZE - gap * (rows + 3)) / rows)
    spots = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        x = SIZE / 2 + (column - (in_row - 1) / 2) * (side + gap)
        y = SIZE / 2 + (row - (rows - 1) / 2) * (side + gap)
        spots.append(Spot(x, y, side))
    return canvas, spots, 0.05


def _flatlay(count: int, palette: list[Color]) -> Layout:
    """Prints scattered on a table seen from above, with two colored sheets below them."""
    canvas = studio(palette[0], horizon=None)
    for color, outline in (
        (palette[0], [(-40.0, 330.0), (620.0, 60.0), (860.0, 640.0), (200.0, 920.0)]),
        (palette[-1], [(640.0, 560.0), (1080.0, 420.0), (1180.0, 1020.0), (780.0, 1100.0)]),
    ):
        sheet = mask(outline)
        paint(canvas, moved(soft(sheet, 14), 4, 10), BLACK, 0.18)
        paint(canvas, sheet, color.mixed(WHITE, 0.3))
    turns = (-7.0, 5.0, 9.0, -4.0, 3.0, -9.0, 6.0, -3.0, 8.0, -6.0)
    tilted = [Spot(x, y, side * 0.97, turns[i]) for i, (x, y, side, _) in enumerate(_scattered(count))]
    return canvas, tilted, 0.03


def _scattered(count: int) -> list[Spot]:
    columns = 2 if count <= 4 else 3
    rows = math.ceil(count / columns)
    side = min(SIZE / columns, SIZE / rows) * (0.82 if count > 2 else 0.9)
    spots = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        x = SIZE / 2 + (column - (in_row - 1) / 2) * side * 1.1
        y = SIZE / 2 + (row - (rows - 1) / 2) * side * 1.1
        spots.append(Spot(x + (18 if row % 2 else -18), y + (-14 if column % 2 else 14), side))
    return spots


def _lifestyle(count: int, palette: list[Color]) -> Layout:
    """Framed pictures on a sunlit wall above a wooden board."""
    brand = palette[0]
    wall = WHITE.mixed(brand, 0.28)
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(wall))
    for start in (60, 330, 600):
        window = [(start, 40.0), (start + 190.0, 0.0), (start + 330.0, 620.0), (start + 140.0, 700.0)]
        paint(canvas, soft(window, 26), WHITE, 0.6)
    board = Color(196, 150, 106)
    plank = mask([(0.0, 856.0), (1024.0, 856.0), (1024.0, 1024.0), (0.0, 1024.0)])
    paint(canvas, plank, board)
    for step in range(7):
        grain = [(0.0, 868.0 + step * 24), (500.0, 876.0 + step * 22), (1024.0, 866.0 + step * 25)]
        paint(canvas, ImageChops.multiply(soft(grain, 4, width=8), plank), Color(140, 98, 62), 0.35)
    paint(canvas, ImageChops.multiply(ramp([(856, 255), (900, 0)], vertical=True), plank), BLACK, 0.3)
    sizes = [1.0, 0.74, 0.66, 0.58, 0.52, 0.46, 0.42, 0.38, 0.36, 0.34][:count]
    overlap = 0.86
    unit = min(520.0, 940 / (sum(sizes) * overlap + (1 - overlap)))
    if count > 4:
        return canvas, [Spot(s.x, s.y * 0.82, s.side * 0.82) for s in _scattered(count)], 0.02
    spots: list[Spot] = []
    x = (SIZE - unit * sum(sizes) * overlap) / 2
    order = sorted(range(count), key=lambda i: abs(i - (count - 1) / 2))  # the largest in the middle
    size_at = {place: sizes[rank] for rank, place in enumerate(order)}
    for place in range(count):
        side = unit * size_at[place]
        spots.append(Spot(x + side * overlap / 2, 906 - side / 2, side))
        x += side * overlap
    return canvas, spots, 0.02


def _showcase(count: int, palette: list[Color]) -> Layout:
    """The first product large on a round plinth, the others as discs around it."""
    brand = palette[0]
    canvas = studio(brand, horizon=760)
    paint(canvas, mask(ellipse(512, 430, 400, 400)), brand.mixed(WHITE, 0.25), 0.9)
    paint(canvas, soft(ellipse(400, 300, 240, 240), 110), WHITE, 0.3)
    floor_shadow(canvas, ellipse(512, 930, 400, 44), opacity=0.3)
    plinth = mask([ellipse(512, 900, 390, 62), [(122.0, 850.0), (902.0, 850.0), (902.0, 900.0), (122.0, 900.0)]])
    paint(canvas, plinth, WHITE.mixed(brand, 0.3))
    paint(canvas, ImageChops.multiply(plinth, ramp([(480, 0), (900, 200)])), BLACK, 0.28)
    paint(canvas, mask(ellipse(512, 850, 390, 62)), WHITE.mixed(brand, 0.1))
    if count == 1:
        return canvas, [Spot(512, 530, 600)], 0.5
    others = count - 1
    side = min(300.0, 1120 / (others + 0.4))
    reach = min(76.0, 24.0 + 12 * others)
    spots = [Spot(512, 400, 560)]
    for index in range(others):
        angle = math.radians(90 + (reach * (1 - 2 * index / (others - 1)) if others > 1 else 0))
        spots.append(Spot(512 + 400 * math.cos(angle), 420 + 400 * math.sin(angle), side))
    return canvas, spots, 0.5


_LAYOUTS: dict[str, Callable[[int, list[Color]], Layout]] = {
    "grid": _grid,
    "flatlay": _flatlay,
    "lifestyle": _lifestyle,
    "showcase": _showcase,
}


def _place(canvas: Image.Image, picture: Image.Image, spot: Spot, corner: float) -> None:
    """Pastes a picture as a card with a white rim and a shadow. corner: its radius as a share of the side."""
    side = max(8, round(spot.side))
    rim = max(4, side // 46)
    card = Image.new("RGB", (side, side), tuple(WHITE))
    inner = side - 2 * rim
    shape = _tile(side, corner)
    fit = ImageOps.fit(picture, (inner, inner), Image.Resampling.LANCZOS)
    card.paste(fit, (rim, rim), _tile(inner, corner))
    margin = side // 4
    layer = Image.new("RGBA", (side + 2 * margin, side + 2 * margin))
    layer.paste(card, (margin, margin), shape)
    if spot.turn:
        layer = layer.rotate(spot.turn, Image.Resampling.BICUBIC)
    at = (round(spot.x - layer.width / 2), round(spot.y - layer.height / 2))
    alpha = layer.getchannel("A")
    for blur, shift, opacity in ((side / 16, side / 22, 0.34), (side / 60, side / 120, 0.3)):
        shade = alpha.filter(ImageFilter.GaussianBlur(blur)).point([round(v * opacity) for v in range(256)])
        canvas.paste(tuple(BLACK), (at[0] + round(shift / 3), at[1] + round(shift)), shade)
    canvas.paste(layer.convert("RGB"), at, alpha)


def _tile(side: int, corner: float) -> Image.Image:
    big = Image.new("L", (side * 2, side * 2), 0)
    ImageDraw.Draw(big).rounded_rectangle((0, 0, side * 2 - 1, side * 2 - 1), corner * side * 2, fill=255)
    return big.reduce(2)
