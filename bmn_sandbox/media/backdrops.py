"""What a bundle is set into: a niche with podiums, a table by the window, linen with papers, colored fields."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops

from bmn_sandbox.media.canvas import (
    SIZE,
    Outline,
    ellipse,
    line,
    mask,
    moved,
    outlines,
    paint,
    ramp,
    rounded,
    soft,
    turned,
)
from bmn_sandbox.media.color import BLACK, WHITE, Color, distance

_WOOD, _DARK_WOOD = Color(196, 152, 110), Color(128, 86, 54)
_BRASS = Color(186, 150, 92)
RAIL = 46.0  # how low the rail is from which garments hang
Field = tuple[float, float, float, float]  # the middle, width and height


def _wall(color: Color) -> Image.Image:
    """A wall that the light reaches from the left."""
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(color))
    paint(canvas, soft(ellipse(330, 300, 420, 420), 220), WHITE, 0.34)
    paint(canvas, ramp([(560, 0), (SIZE, 255)]), BLACK, 0.1)
    return canvas


def niche(palette: Sequence[Color], floor: float) -> Image.Image:
    """An arch in a wall, and a floor before it that mirrors a little. floor: where it begins."""
    brand, second = palette[0], palette[-1]
    canvas = _wall(WHITE.mixed(brand, 0.3))
    arch = mask([ellipse(512, 400, 400, 392), rounded(112, 400, 912, floor, 2)])
    paint(canvas, arch, WHITE.mixed(second, 0.42).mixed(brand, 0.08))
    paint(canvas, ImageChops.multiply(arch, ramp([(112, 220), (340, 0)])), BLACK, 0.26)
    bow = ImageChops.multiply(arch, soft(line(ellipse(512, 400, 396, 388), 30), 14))
    paint(canvas, ImageChops.multiply(bow, ramp([(330, 255), (430, 0)], vertical=True)), BLACK, 0.16)
    paint(canvas, ImageChops.multiply(arch, soft(ellipse(600, 380, 280, 320), 120)), WHITE, 0.36)
    ground = _below(floor)
    paint(canvas, ground, WHITE.mixed(brand, 0.22))
    paint(canvas, ImageChops.multiply(ground, ramp([(floor, 180), (floor + 70, 0)], vertical=True)), BLACK, 0.22)
    paint(canvas, ImageChops.multiply(ground, soft(ellipse(380, floor + 140, 480, 80), 60)), WHITE, 0.5)
    return canvas


def podium(canvas: Image.Image, color: Color, x: float, top: float, radius: float, foot: float) -> Image.Image:
    """A round podium, lit from the left; returns where its upper face is, on which shadows fall.

    top: the middle of what one stands on. foot: the middle of its lower face.
    """
    flat = radius * 0.17
    paint(
        canvas,
        soft([(x, foot - flat), (x + radius * 2.1, foot - flat * 2), (x + radius * 2.1, foot), (x, foot + flat)], 26),
        BLACK,
        0.3,
    )
    paint(canvas, soft(ellipse(x + 8, foot + 5, radius * 1.03, flat * 1.05), 10), BLACK, 0.5)
    body = mask([ellipse(x, foot, radius, flat), rounded(x - radius, top, x + radius, foot, 1)])
    skin = color.mixed(WHITE, 0.42)
    paint(canvas, body, skin)
    light = [
        (x - radius, 90),
        (x - radius * 0.6, 0),
        (x - radius * 0.1, 0),
        (x + radius * 0.86, 255),
        (x + radius, 200),
    ]
    paint(canvas, ImageChops.multiply(body, ramp(light)), skin.mixed(BLACK, 0.85), 0.42)
    paint(canvas, ImageChops.multiply(body, ramp([(foot - 90, 0), (foot + flat, 255)], vertical=True)), BLACK, 0.12)
    lid = mask(ellipse(x, top, radius, flat))
    paint(canvas, lid, skin.mixed(WHITE, 0.5))
    paint(canvas, ImageChops.multiply(lid, ramp([(x - radius, 0), (x + radius, 200)])), BLACK, 0.14)
    rim = ImageChops.multiply(
        line(ellipse(x, top, radius - 1, flat - 1), 2.4), ramp([(top, 0), (top + 6, 255)], vertical=True)
    )
    paint(canvas, rim, WHITE, 0.6)
    return lid


def table(palette: Sequence[Color], edge: float) -> Image.Image:
    """A wooden table before a wall, in the light of a window with a plant before it. edge: where the table begins."""
    canvas = _wall(WHITE.mixed(palette[0], 0.3).mixed(BLACK, 0.04))
    for start in (-60, 170, 400):
        pane = [(start + 0.0, -20.0), (start + 180.0, -20.0), (start + 560.0, edge), (start + 380.0, edge)]
        paint(canvas, soft(pane, 16), WHITE, 0.42)
    _leaves(canvas, (930.0, 40.0), 1.0)
    board = _below(edge)
    paint(canvas, board, _WOOD)
    grain = _grain(edge)
    paint(canvas, ImageChops.multiply(grain, board), _DARK_WOOD, 0.5)
    paint(canvas, ImageChops.multiply(board, ramp([(edge, 255), (edge + 60, 0)], vertical=True)), BLACK, 0.3)
    paint(canvas, ImageChops.multiply(board, soft(ellipse(400, edge + 150, 420, 110), 80)), Color(255, 236, 208), 0.36)
    paint(canvas, soft([(0.0, edge), (1024.0, edge)], 3, width=5), _WOOD.mixed(WHITE, 0.4), 0.6)
    return canvas


def _grain(edge: float) -> Image.Image:
    """Years of wood, which lie closer together the farther they are."""
    rows = np.arange(SIZE)[:, None] - edge
    columns = np.arange(0, SIZE, 8)[None, :]
    depth = 620 / (np.maximum(rows, 0) + 90)
    wave = np.sin(depth * 26 + 0.9 * np.sin(columns / 190 + depth * 3)) + 0.6 * np.sin(
        depth * 71 + np.sin(columns / 120)
    )
    small = Image.fromarray((np.clip(wave * 0.32, 0, 1) * 255).astype(np.uint8))
    return small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def _below(y: float) -> Image.Image:
    return mask([(0.0, y), (float(SIZE), y), (float(SIZE), float(SIZE)), (0.0, float(SIZE))])


def _leaves(canvas: Image.Image, stem: tuple[float, float], strength: float) -> None:
    """The shadow of a plant that stands out of sight. stem: where it reaches into the picture from."""
    x, y = stem
    leaf = outlines(
        f"M{x} {y} C{x - 60} {y + 40} {x - 70} {y + 190} {x - 20} {y + 300} C{x + 40} {y + 200} {x + 50} {y + 60} {x} {y}"
    )[0]
    fronds = [turned(leaf, angle, (x + 60, y - 60)) for angle in (18, 48, 76, 104, -12)]
    paint(canvas, soft(fronds, 14), BLACK, 0.15 * strength)


def linen(palette: Sequence[Color]) -> Image.Image:
    """A light cloth seen from above, with papers on it, and the shadow of a plant."""
    canvas = _wall(Color(241, 237, 230).mixed(palette[0], 0.06))
    tile = np.random.default_rng(4).normal(128, 30, (64, 64)).clip(0, 255).astype(np.uint8)
    weave = Image.fromarray(np.tile(tile, (SIZE // 64, SIZE // 64)))
    paint(canvas, weave.point([0] * 128 + [v - 128 for v in range(128, 256)]), BLACK, 0.12)
    papers: tuple[tuple[Color, Outline], ...] = (
        (palette[-1].mixed(WHITE, 0.4), [(-40.0, 560.0), (1070.0, 250.0), (1070.0, 700.0), (-40.0, 1010.0)]),
        (palette[0].mixed(WHITE, 0.24), [(-40.0, 640.0), (1070.0, 330.0), (1070.0, 1070.0), (-40.0, 1070.0)]),
    )
    for color, outline in papers:
        sheet = mask(outline)
        paint(canvas, moved(soft(sheet, 12), 0, -6), BLACK, 0.3)
        paint(canvas, sheet, color)
    return canvas


def fields(palette: Sequence[Color], rows: Sequence[Sequence[tuple[Color, bool]]]) -> tuple[Image.Image, list[Field]]:
    """Colored fields, each a small room. rows: of what color that is which is shown there, and whether it hangs."""
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(WHITE))
    spots: list[Field] = []
    high, above = SIZE / max(1, len(rows)), list[Color]()
    for number, row in enumerate(rows):
        wide, here = SIZE / len(row), list[Color]()
        for place, (shown, hangs) in enumerate(row):
            left, top = round(place * wide), round(number * high)
            box = (left, top, round((place + 1) * wide), round((number + 1) * high))
            tint = _ground_for(shown, palette, [*here[-1:], *above[place : place + 1]])
            here.append(tint)
            _room(canvas, tint, box, floor=not hangs)
            spots.append((left + wide / 2, top + high / 2, wide, high))
        above = here
    return canvas, spots


def _ground_for(shown: Color, palette: Sequence[Color], taken: Sequence[Color]) -> Color:
    """A tint of the brand on which something of this color stands out, and which is none of its neighbors'."""
    tints = [color.mixed(WHITE, share) for share in (0.24, 0.56, 0.8) for color in palette]
    free = [tint for tint in tints if tint not in taken] or tints
    return max(free, key=lambda tint: min(240, distance(tint, shown)) + 60 * tint.saturation)


def _room(canvas: Image.Image, tint: Color, box: tuple[int, int, int, int], *, floor: bool) -> None:
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    canvas.paste(tuple(tint), box)
    glow = soft(ellipse(left + wide * 0.36, top + high * 0.34, wide * 0.36, high * 0.36), 70)
    canvas.paste(tuple(WHITE), (left, top), glow.crop(box).point([v // 3 for v in range(256)]))
    if floor:
        edge = round(top + high * 0.74)
        canvas.paste(tuple(tint.mixed(WHITE, 0.22)), (left, edge, right, bottom))
        shade = Image.linear_gradient("L").rotate(180).resize((wide, bottom - edge)).point([v // 5 for v in range(256)])
        canvas.paste(tuple(tint.mixed(BLACK, 0.8)), (left, edge), shade)


def rail(canvas: Image.Image) -> None:
    """A brass rail along the wall."""
    bar = [(-80.0, RAIL), (SIZE + 80.0, RAIL)]
    paint(canvas, moved(soft(bar, 10, width=12), 0, 22), BLACK, 0.3)
    paint(canvas, line(bar, 11), _BRASS)
    paint(canvas, moved(line(bar, 3), 0, -2), WHITE, 0.6)
    paint(canvas, moved(line(bar, 3), 0, 4), BLACK, 0.34)


def block(canvas: Image.Image, x: float, base: float, wide: float) -> None:
    """A block of wood in whose slot something thin stands. base: where its foot is. wide: in pixels."""
    high = max(16.0, wide * 0.15)
    body = rounded(x - wide / 2, base - high * 0.6, x + wide / 2, base + high * 0.4, 4)
    paint(canvas, moved(soft(body, 8), 8, 7), BLACK, 0.4)
    shape = mask(body)
    paint(canvas, shape, _WOOD)
    fading = ramp([(x - wide / 2, 0), (x + wide / 2, 255)])
    paint(canvas, ImageChops.multiply(shape, fading), _DARK_WOOD, 0.5)
    paint(
        canvas, line([(x - wide / 2 + 3, base - high * 0.56), (x + wide / 2 - 3, base - high * 0.56)], 2.4), WHITE, 0.5
    )


def hook(canvas: Image.Image, x: float, low: float) -> None:
    """A wire hook over the rail. low: how far down it reaches."""
    bow = f"M{x - 15} {RAIL + 10} C{x - 18} {RAIL - 22} {x + 18} {RAIL - 22} {x + 15} {RAIL + 4}"
    path = f"{bow} C{x + 14} {RAIL + 16} {x} {RAIL + 14} {x} {max(low, RAIL + 24)}"
    paint(canvas, moved(soft(path, 6, width=6), 8, 12), BLACK, 0.34)
    paint(canvas, line(path, 5), Color(120, 116, 110))
    paint(canvas, moved(line(path, 1.6), -1, -1), WHITE, 0.6)


def graded(canvas: Image.Image) -> Image.Image:
    """One light over all of it: warm from the upper left, and darker toward the far corner."""
    paint(canvas, soft(ellipse(200, 120, 420, 380), 200), Color(255, 244, 226), 0.14)
    paint(canvas, soft(ellipse(1060, 1060, 420, 330), 200), Color(24, 18, 30), 0.22)
    return canvas
