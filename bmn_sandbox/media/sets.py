"""What films are shot in: a wall with an arch, a podium, a room with a table, a carton; and the shadows that fall there."""

import math
import random

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


def panel(size: Size, color: Color) -> Image.Image:
    """A side of a carton, lit from the left, darker toward its foot."""
    strip = Image.new("RGB", (64, 1))
    strip.putdata([tuple(color.mixed(WHITE, 0.16).mixed(BLACK, 0.26 * v / 63)) for v in range(64)])
    side = strip.resize(size, Image.Resampling.BICUBIC).convert("RGBA")
    foot = Image.linear_gradient("L").resize(size).point([v // 5 for v in range(256)])
    side.paste((*color.mixed(BLACK, 0.8), 255), (0, 0), foot)
    ImageDraw.Draw(side).line((0, 1, size[0], 1), fill=(*color.mixed(WHITE, 0.5), 255), width=3)
    return side


def confetti(frame: Image.Image, colors: tuple[Color, ...], source: Point, unit: float, moment: float) -> None:
    """Paper that flies up out of a box and falls. moment: since then, 0 to 1, when all of it has left the picture."""
    if not 0 < moment < 1:
        return
    draw, rng = ImageDraw.Draw(frame), random.Random(11)
    for number in range(46):
        across, up, spin, size = (
            rng.uniform(-0.9, 0.9),
            rng.uniform(0.9, 2.0),
            rng.uniform(4, 13),
            rng.uniform(0.008, 0.016),
        )
        x = source[0] + across * moment * unit
        y = source[1] - (up * moment - 2.9 * moment * moment) * unit
        angle, thin = spin * moment * 2 + number, abs(math.sin(spin * moment * 3 + number))
        along, over = size * unit, size * unit * (0.25 + 0.5 * thin)
        cos, sin = math.cos(angle), math.sin(angle)
        corners = [(a * along, b * over) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        color = colors[number % len(colors)].mixed(WHITE, 0.12 + 0.3 * (number % 3) / 3)
        draw.polygon([(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in corners], fill=tuple(color))


def shadow(width: float, depth: float) -> Image.Image:
    """Where something touches the ground: a dark core in a wide soft one. depth: how dark, 0 to 1."""
    wide, high = round(width * 1.5 / _COARSE), max(6, round(width * 0.26 / _COARSE))
    shade = Image.new("L", (wide, high), 0)
    draw = ImageDraw.Draw(shade)
    draw.ellipse((wide * 0.15, high * 0.26, wide * 0.85, high * 0.74), fill=round(150 * depth))
    draw.ellipse((wide * 0.19, high * 0.38, wide * 0.81, high * 0.62), fill=round(255 * depth))
    return _large(shade.filter(ImageFilter.GaussianBlur(max(1.0, high / 9))), (wide * _COARSE, high * _COARSE))


def fall(plate: Image.Image, shade: Image.Image, foot: Point, share: float = 1.0) -> None:
    """A shadow falls around a foot. share: how much of it."""
    if share <= 0:
        return
    if share < 1:
        shade = shade.point([round(v * share) for v in range(256)])
    at = (round(foot[0] - shade.width * 0.48), round(foot[1] - shade.height / 2))
    plate.paste(tuple(BLACK), (*at, at[0] + shade.width, at[1] + shade.height), shade)


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
