"""What films are shot in: a wall with an arch, a podium, a room with a table; and the shadows that fall there."""

import math
from collections.abc import Iterable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bmn_sandbox.media import backdrops
from bmn_sandbox.media.canvas import SIZE
from bmn_sandbox.media.color import BLACK, WHITE, Color

Point = tuple[float, float]
Size = tuple[int, int]
_COARSE = 8  # light and shadow are drawn this much smaller
_NEAR = 4  # where something touches the ground, only this much


def wall(size: Size, color: Color, floor: float, *, strength: float = 0.36) -> Image.Image:
    """A wall in the light of a lamp that runs into the floor. floor: where things stand. strength: of the color."""
    wide, high = size
    tint = WHITE.mixed(color, strength)
    plate = Image.new("RGB", size, tuple(tint))
    faint = [max(0, 176 - v) * 3 // 4 for v in range(256)]  # nothing is left of it where its square ends
    glow = Image.radial_gradient("L").point(faint)
    glow = glow.resize((round(wide * 1.2), round(high * 1.4)), Image.Resampling.BICUBIC)
    plate.paste(tuple(WHITE), (round(-wide * 0.2), round(-high * 0.36)), glow)
    rim = Image.new("L", (1, high), 0)
    soft = high * 0.3
    rim.putdata([round(90 * max(0.0, 1 - abs(y - floor + high * 0.12) / soft) ** 2) for y in range(high)])
    plate.paste(tuple(tint.mixed(BLACK, 0.3)), (0, 0), rim.resize(size))
    return plate


def arch(plate: Image.Image, color: Color, floor: float) -> None:
    """A niche in the wall behind the podium, lit from the left, with a floor before it."""
    wide, high = plate.size
    radius = min(wide * 0.44, high * 0.46)
    top, foot = max(high * 0.1, floor - high * 0.08 - radius * 2.1), floor - high * 0.08
    shape = Image.new("L", (wide * 2, high * 2), 0)
    draw = ImageDraw.Draw(shape)
    x0, x1 = wide - 2 * radius, wide + 2 * radius
    draw.ellipse((x0, 2 * top, x1, 2 * top + (x1 - x0)), fill=255)
    draw.rectangle((x0, 2 * top + (x1 - x0) / 2, x1, 2 * foot), fill=255)
    shape = shape.reduce(2)
    skin = WHITE.mixed(color, 0.5)
    plate.paste(tuple(skin), mask=shape)
    small = shape.reduce(_COARSE)
    inner = ImageChops.offset(small.filter(ImageFilter.GaussianBlur(5)), 5, 4)
    shade = _large(inner, plate.size).point([(255 - v) // 2 for v in range(256)])
    plate.paste(tuple(skin.mixed(BLACK, 0.7)), mask=ImageChops.multiply(shade, shape))
    ground = (
        Image.linear_gradient("L").resize((wide, max(2, high - round(foot)))).point([120 - v // 3 for v in range(256)])
    )
    plate.paste(tuple(WHITE.mixed(color, 0.22)), (0, round(foot), wide, round(foot) + ground.height))
    plate.paste(tuple(skin.mixed(BLACK, 0.5)), (0, round(foot)), ground.point([v // 3 for v in range(256)]))


def podium(plate: Image.Image, top: Point, radius: float, color: Color, height: float) -> None:
    """A round podium, lit from the left, with its shadow. top: the middle of what one stands on."""
    (x, y), flat = top, radius * 0.16
    fall(plate, shadow(radius * 2.1, 0.6), (x + radius * 0.06, y + height + flat * 0.7))
    skin = color.mixed(WHITE, 0.34)
    size = (round(2 * radius), round(height + 2 * flat))
    body = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    draw = ImageDraw.Draw(body)
    draw.ellipse((0, 2 * height, body.width - 1, body.height - 1), fill=255)
    draw.rectangle((0, 2 * flat, body.width, 2 * height + 2 * flat), fill=255)
    strip = Image.new("RGB", (256, 1))
    shades = [0.05 + 0.12 * max(0.0, 1 - v / 50) + 0.42 * max(0.0, v / 255 - 0.28) ** 1.2 for v in range(256)]
    strip.putdata([tuple(skin.mixed(BLACK, share)) for share in shades])
    at = (round(x - radius), round(y - flat))
    plate.paste(strip.resize(size, Image.Resampling.BICUBIC), at, body.reduce(2))
    lid = Image.new("L", (size[0] * 2, round(flat * 4)), 0)
    ImageDraw.Draw(lid).ellipse((0, 0, lid.width - 1, lid.height - 1), fill=255)
    plate.paste(tuple(skin.mixed(WHITE, 0.5)), at, lid.reduce(2))


def room(size: Size, colors: tuple[Color, Color]) -> Image.Image:
    """A table by a window, as broad and as high as this; the far edge of the table is at 56 % of its height."""
    wide, high = size
    square = backdrops.table(colors, 573.0)
    scale = max(wide, high) / SIZE
    scaled = square.resize((round(SIZE * scale), round(SIZE * scale)), Image.Resampling.BICUBIC)
    left, top = (scaled.width - wide) // 2, round((scaled.height - high) * 0.56)
    return scaled.crop((left, top, left + wide, top + high))


def beams(size: Size, share: float) -> Image.Image:
    """Light through a window that falls aslant on a wall, as a mask: two broad bars with soft rims. share: how bright."""
    wide, high = max(8, size[0] // _COARSE), max(8, size[1] // _COARSE)
    small = Image.new("L", (wide, high))
    draw, lean = ImageDraw.Draw(small), high * 0.5
    for left, right in ((0.26, 0.48), (0.53, 0.66)):
        draw.polygon([(wide * left + lean, -9), (wide * right + lean, -9), (wide * right - lean, high + 9),
                      (wide * left - lean, high + 9)], fill=round(255 * share))  # fmt: skip
    return _large(small.filter(ImageFilter.GaussianBlur(wide / 60)), size)


def foliage(unit: float) -> Image.Image:
    """Leaves before the lens, out of focus. unit: the shorter side of a frame."""
    side = round(unit * 0.9 / _COARSE)
    small = Image.new("RGBA", (side, side), (92, 120, 90, 0))
    draw = ImageDraw.Draw(small)
    for turn in (8, 34, 62, 88, 118):
        angle = math.radians(turn)
        tip = (side * 0.1 + side * 0.8 * math.sin(angle), side * 0.95 - side * 0.8 * math.cos(angle))
        for across in (-1, 1):
            bend = angle + across * 0.24
            middle = (side * 0.1 + side * 0.45 * math.sin(bend), side * 0.95 - side * 0.45 * math.cos(bend))
            draw.polygon([(side * 0.1, side * 0.95), middle, tip], fill=(92, 120 + 12 * across, 90, 225))
    soft = small.filter(ImageFilter.GaussianBlur(side / 26))
    return soft.resize((side * _COARSE, side * _COARSE), Image.Resampling.BICUBIC)


def shadow(width: float, depth: float) -> Image.Image:
    """Where something touches the ground: a dark core in a wide soft one. depth: how dark, 0 to 1."""
    wide, high = round(width * 1.5 / _COARSE), max(6, round(width * 0.26 / _COARSE))
    blur = max(1.0, high / 9)
    rim = math.ceil(3 * blur)  # so that nothing of it is cut off
    shade = Image.new("L", (wide, high + 2 * rim), 0)
    draw = ImageDraw.Draw(shade)
    draw.ellipse((wide * 0.15, rim + high * 0.26, wide * 0.85, rim + high * 0.74), fill=round(150 * depth))
    draw.ellipse((wide * 0.19, rim + high * 0.38, wide * 0.81, rim + high * 0.62), fill=round(255 * depth))
    return _large(shade.filter(ImageFilter.GaussianBlur(blur)), (wide * _COARSE, shade.height * _COARSE))


def fall(plate: Image.Image, shade: Image.Image, foot: Point, share: float = 1.0) -> None:
    """A shadow falls around a foot. share: how much of it."""
    if share <= 0:
        return
    if share < 1:
        shade = shade.point([round(v * share) for v in range(256)])
    at = (round(foot[0] - shade.width * 0.48), round(foot[1] - shade.height / 2))
    plate.paste(tuple(BLACK), (*at, at[0] + shade.width, at[1] + shade.height), shade)


def stand(plate: Image.Image, foot: Sequence[Point], depth: float) -> None:
    """The shadow of a solid thing on the ground, where the light comes from the left: dark and narrow along its foot,
    soft and long beside it. foot: the corners of what it stands on. depth: how dark, 0 to 1.
    """
    across, down = [x for x, _ in foot], [y for _, y in foot]
    wide = max(across) - min(across)
    rim = wide * 0.42
    corner = (math.floor(min(across) - rim), math.floor(min(down) - rim))
    size = (math.ceil((wide + 2 * rim) / _NEAR), math.ceil((max(down) - min(down) + 2 * rim) / _NEAR))
    whole = Image.new("L", size)
    for aside, blur, share in ((0.2, 0.06, 0.42), (0.06, 0.03, 0.36), (0.008, 0.008, 0.7)):
        shade = Image.new("L", size)
        moved = [(x + wide * aside, y - wide * aside * 0.12) for x, y in foot]
        placed = [((x - corner[0]) / _NEAR, (y - corner[1]) / _NEAR) for x, y in [*foot, *moved]]
        ImageDraw.Draw(shade).polygon(_hull(placed), fill=round(255 * share * depth))
        whole = ImageChops.screen(whole, shade.filter(ImageFilter.GaussianBlur(max(0.8, wide * blur / _NEAR))))
    plate.paste(tuple(BLACK), corner, _large(whole, (size[0] * _NEAR, size[1] * _NEAR)))


def _hull(places: Sequence[Point]) -> list[Point]:
    """The outline around places."""

    def half(ordered: Iterable[Point]) -> list[Point]:
        found: list[Point] = []
        for x, y in ordered:
            while len(found) > 1:
                (ax, ay), (bx, by) = found[-2:]
                if (bx - ax) * (y - ay) > (by - ay) * (x - ax):
                    break
                found.pop()
            found.append((x, y))
        return found[:-1]

    ranked = sorted(places)
    return half(ranked) + half(reversed(ranked))


def glow(plate: Image.Image, middle: Point, reach: float, share: float) -> None:
    """Light around a place. reach: how far, in pixels. share: how bright its middle is, 0 to 1."""
    side = round(2 * reach)
    light = Image.radial_gradient("L").point([round(max(0, 180 - v) ** 2 / 180 * share * 1.4) for v in range(256)])
    at = (round(middle[0] - reach), round(middle[1] - reach))
    plate.paste((255, 250, 240), at, light.resize((side, side), Image.Resampling.BILINEAR))


def touch(frame: Image.Image, art: Image.Image, foot: Point, depth: float) -> None:
    """The shadow where art touches the ground: the lowest part of its own outline, a little lower. depth: how dark."""
    near = max(3.0, art.height / 90)
    low = art.getchannel("A").crop((0, art.height * 3 // 4, art.width, art.height))
    low = ImageChops.multiply(low, Image.linear_gradient("L").resize(low.size))  # it ends nowhere up its sides
    margin = 3 * _NEAR
    room = Image.new("L", (low.width // _NEAR + 2 * margin, low.height // _NEAR + 2 * margin))
    room.paste(low.resize((low.width // _NEAR, max(1, low.height // _NEAR))), (margin, margin))
    soft = room.filter(ImageFilter.GaussianBlur(near / _NEAR)).point([round(v * depth) for v in range(256)])
    soft = _large(soft, (soft.width * _NEAR, soft.height * _NEAR))
    left, top = round(foot[0] - art.width / 2), round(foot[1] - low.height + near * 0.8)
    frame.paste(tuple(BLACK), (left - margin * _NEAR, top - margin * _NEAR), soft)


def reflection(art: Image.Image, high: float, share: float) -> Image.Image:
    """What a polished ground mirrors of a foot. high: how far that ground reaches. share: how strong it is."""
    tall = min(art.height, max(2, round(high)))
    low = art.crop((0, art.height - tall, art.width, art.height)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    fading = Image.linear_gradient("L").resize(low.size).point([round((255 - v) * share) for v in range(256)])
    low.putalpha(ImageChops.multiply(low.getchannel("A"), fading))
    return low


def put(frame: Image.Image, art: Image.Image, foot: Point) -> None:
    """The middle of its foot stands there."""
    frame.paste(art, (round(foot[0] - art.width / 2), round(foot[1] - art.height)), art)


def _large(small: Image.Image, size: Size) -> Image.Image:
    return small.resize(size, Image.Resampling.BICUBIC)
