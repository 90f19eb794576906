"""What a bundle is set into: a niche with podiums, a table by the window, linen with papers, colored fields."""

from collections.abc import Sequence

from PIL import Image, ImageChops

from bmn_sandbox.media.canvas import SIZE, ellipse, mask, moved, paint, ramp, rounded, soft
from bmn_sandbox.media.color import BLACK, WHITE, Color

_WOOD, _DARK_WOOD = Color(190, 146, 104), Color(134, 94, 60)


def _wall(color: Color) -> Image.Image:
    """A wall that the light reaches from the left."""
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(color))
    paint(canvas, soft(ellipse(330, 300, 420, 420), 220), WHITE, 0.34)
    paint(canvas, ramp([(560, 0), (SIZE, 255)]), BLACK, 0.1)
    return canvas


def niche(palette: Sequence[Color]) -> Image.Image:
    """An arch in a wall, and a floor before it."""
    brand, second = palette[0], palette[-1]
    canvas = _wall(WHITE.mixed(brand, 0.3))
    arch = mask([ellipse(512, 420, 380, 380), rounded(132, 420, 892, 900, 2)])
    paint(canvas, arch, WHITE.mixed(second, 0.42).mixed(brand, 0.08))
    paint(canvas, ImageChops.multiply(arch, ramp([(132, 190), (330, 0)])), BLACK, 0.22)
    paint(canvas, ImageChops.multiply(arch, soft(ellipse(560, 380, 260, 300), 120)), WHITE, 0.3)
    floor = mask([(0.0, 800.0), (1024.0, 800.0), (1024.0, 1024.0), (0.0, 1024.0)])
    paint(canvas, floor, WHITE.mixed(brand, 0.2))
    paint(canvas, ImageChops.multiply(floor, ramp([(800, 150), (900, 0)], vertical=True)), BLACK, 0.2)
    paint(canvas, ImageChops.multiply(floor, soft(ellipse(400, 930, 480, 90), 60)), WHITE, 0.5)
    return canvas


def podium(canvas: Image.Image, color: Color, x: float, top: float, radius: float) -> None:
    """A round podium, lit from the left. top: the middle of what one stands on."""
    high, flat = 930.0, radius * 0.17
    paint(canvas, soft(ellipse(x + 34, high + 4, radius * 1.08, flat * 1.2), 22), BLACK, 0.36)
    body = mask([ellipse(x, high, radius, flat), rounded(x - radius, top, x + radius, high, 1)])
    skin = color.mixed(WHITE, 0.5)
    paint(canvas, body, skin)
    light = [(x - radius, 70), (x - radius * 0.6, 0), (x - radius * 0.1, 0), (x + radius, 255)]
    paint(canvas, ImageChops.multiply(body, ramp(light)), BLACK, 0.32)
    paint(canvas, mask(ellipse(x, top, radius, flat)), skin.mixed(WHITE, 0.45))
    paint(
        canvas, ImageChops.multiply(mask(ellipse(x, top, radius, flat)), ramp([(x, 0), (x + radius, 160)])), BLACK, 0.1
    )


def table(palette: Sequence[Color]) -> Image.Image:
    """A wooden table before a wall, in the light of a window."""
    canvas = _wall(WHITE.mixed(palette[0], 0.26))
    for start in (40, 250):
        pane = [(start + 30.0, 60.0), (start + 190.0, 20.0), (start + 400.0, 560.0), (start + 240.0, 640.0)]
        paint(canvas, soft(pane, 18), WHITE, 0.5)
    board = mask([(0.0, 704.0), (1024.0, 704.0), (1024.0, 1024.0), (0.0, 1024.0)])
    paint(canvas, board, _WOOD)
    for step in range(9):
        y, low = 716.0 + step * step * 3.6, 722.0 + step * step * 3.9
        grain = [(0.0, y), (380.0, low), (720.0, y + 3), (1024.0, low + 4)]
        paint(canvas, ImageChops.multiply(soft(grain, 4, width=5 + step), board), _DARK_WOOD, 0.3)
    paint(canvas, ImageChops.multiply(board, ramp([(704, 255), (760, 0)], vertical=True)), BLACK, 0.24)
    paint(canvas, ImageChops.multiply(board, soft(ellipse(380, 830, 420, 120), 80)), WHITE, 0.3)
    return canvas


def linen(palette: Sequence[Color]) -> Image.Image:
    """A light cloth seen from above, with two colored papers on it."""
    canvas = _wall(Color(241, 237, 230).mixed(palette[0], 0.06))
    weave = Image.effect_noise((SIZE // 2, SIZE // 2), 22).resize((SIZE, SIZE))
    paint(canvas, weave.point([0] * 128 + [v - 128 for v in range(128, 256)]), BLACK, 0.14)
    for color, outline in (
        (palette[0], [(-60.0, 390.0), (560.0, 40.0), (800.0, 660.0), (150.0, 960.0)]),
        (palette[-1], [(620.0, 520.0), (1090.0, 380.0), (1190.0, 1030.0), (740.0, 1120.0)]),
    ):
        sheet = mask(outline)
        paint(canvas, moved(soft(sheet, 12), 5, 10), BLACK, 0.2)
        paint(canvas, sheet, color.mixed(WHITE, 0.34))
    return canvas


def fields(
    palette: Sequence[Color], rows: Sequence[int]
) -> tuple[Image.Image, list[tuple[float, float, float, float]]]:
    """Colored fields, and of each its middle, width and height. rows: how many stand in each row."""
    canvas = Image.new("RGB", (SIZE, SIZE), tuple(WHITE))
    tints = [color.mixed(WHITE, share) for share in (0.3, 0.62, 0.8) for color in palette]
    spots: list[tuple[float, float, float, float]] = []
    high = SIZE / max(1, len(rows))
    for number, count in enumerate(rows):
        wide = SIZE / count
        for place in range(count):
            left, top = round(place * wide), round(number * high)
            box = (left, top, round((place + 1) * wide), round((number + 1) * high))
            canvas.paste(tuple(tints[(number * 2 + place) % len(tints)]), box)
            glow = soft(ellipse(left + wide * 0.42, top + high * 0.4, wide * 0.3, high * 0.3), 60)
            canvas.paste(tuple(WHITE), (left, top), glow.crop(box).point([v // 4 for v in range(256)]))
            spots.append((left + wide / 2, top + high / 2, wide, high))
    return canvas, spots


def peg(canvas: Image.Image, x: float, y: float) -> None:
    """A wooden peg in the wall, from which something hangs."""
    paint(canvas, moved(soft(ellipse(x, y, 13, 13), 6), 5, 8), BLACK, 0.4)
    paint(canvas, mask(ellipse(x, y, 12, 12)), _WOOD)
    paint(canvas, soft(ellipse(x - 3, y - 4, 5, 5), 3), WHITE, 0.6)
