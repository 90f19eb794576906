"""What happens in a film: a frame for each moment of it, 0 to 1. Only what moves is drawn again."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.cutout import Product
from bmn_sandbox.media.placing import sized

Shot = Callable[[float], Image.Image]
Point = tuple[float, float]
_COARSE = 8  # light and shadow are drawn this much smaller
_SWING = 26.0  # degrees that a product turns to each side
_NEARER = 0.16  # of what is seen at first, the camera leaves out so much at the end


@dataclass(frozen=True, slots=True)
class Stage:
    """colors: of wall and podium. size: of a frame, in pixels."""

    product: Product
    colors: tuple[Color, Color]
    size: tuple[int, int]

    @property
    def unit(self) -> float:
        """The shorter side of a frame."""
        return float(min(self.size))

    @property
    def floor(self) -> float:
        """Where things stand."""
        return self.size[1] * 0.84

    @property
    def lift(self) -> float:
        """How high above the floor it is: what hangs from a wall cannot stand, and floats in a film."""
        return self.unit * 0.05 if self.product.hangs else 0.0

    @property
    def depth(self) -> float:
        """How dark its shadow is."""
        return 0.32 if self.product.hangs else 0.55

    def art(self, share: float) -> Image.Image:
        """The product, as high as this share of the frame's shorter side, or as broad where it is broader."""
        art = self.product.art
        return sized(art, self.unit * share * min(1.0, 1.25 * art.height / art.width))


def _turning(stage: Stage) -> Shot:
    """It turns on a podium, to one side and to the other, and the light runs over it."""
    wide = stage.size[0]
    art = stage.art(0.6)
    top = stage.floor - stage.unit * 0.06
    plate = _wall(stage.size, stage.colors[0], stage.floor)
    _podium(plate, (wide / 2, top), max(art.width * 0.66, stage.unit * 0.2), stage.colors[1])
    _fall(plate, _shadow(art.width * 0.8, stage.depth), (wide / 2, top + 4))

    @cache
    def seen(quarters: int) -> Image.Image:
        """At so many quarters of a degree, each of which comes twice."""
        return _lit(_turned(art, quarters / 4), 0.5 - quarters / 240)

    def at(moment: float) -> Image.Image:
        angle = _SWING * math.sin(2 * math.pi * _eased(moment))
        frame = plate.copy()
        _put(frame, seen(round(4 * angle)), (wide / 2, top + 8 - stage.lift))
        return frame

    return at


def _unboxing(stage: Stage) -> Shot:
    """The lid leaves a box, the product rises out of it, and stands there when the box is gone."""
    wide, high = stage.size
    art = stage.art(0.66)
    plate = _wall(stage.size, stage.colors[0], stage.floor)
    half, tall = max(art.width * 0.62, stage.unit * 0.27), stage.unit * 0.46
    side, inside = stage.colors[1].mixed(WHITE, 0.12), stage.colors[1].mixed(BLACK, 0.45)
    front = _panel((round(half * 2), round(tall)), side)
    back = _panel((round(half * 2), round(tall * 0.16)), inside)
    below, boxed = _shadow(art.width * 0.85, stage.depth), _shadow(half * 2, 0.6)
    lid = _panel((round(half * 2.1), round(tall * 0.2)), side.mixed(WHITE, 0.2))
    highest = min(tall * 0.78, stage.floor - art.height - high * 0.04)  # it stays in sight

    def at(moment: float) -> Image.Image:
        opened, risen, gone = (_between(moment, *span) for span in ((0.08, 0.34), (0.26, 0.66), (0.58, 0.82)))
        frame = plate.copy()
        base = stage.floor + stage.unit * 0.02 + gone * gone * (high - stage.floor + tall + 40)
        _fall(frame, below, (wide / 2, stage.floor + 4), _between(moment, 0.7, 0.9))
        _fall(frame, boxed, (wide / 2, base))
        _put(frame, back, (wide / 2, base - tall + 2))
        rise = art.height * 0.1 - risen * (art.height * 0.1 + highest)
        foot = stage.floor + rise * (1 - gone) - stage.lift * gone
        if risen > 0:
            hidden = max(0, round(foot - base)) if gone < 0.2 else 0
            _put(frame, art.crop((0, 0, art.width, max(8, art.height - hidden))), (wide / 2, foot - hidden))
        _put(frame, front, (wide / 2, base))
        lifted = (wide / 2 + opened * half * 1.7, base - tall + lid.height * 0.5 - opened * stage.unit * 0.9)
        if opened < 1:
            _put(frame, lid.rotate(-28 * opened, Image.Resampling.BILINEAR, expand=True), lifted)
        return frame

    return at


def _walking(stage: Stage) -> Shot:
    """The camera walks around it: the room passes behind, and the product shows one side and then the other."""
    wide, high = stage.size
    art = stage.art(0.62)
    broad = round(wide * 1.4)
    room = _wall((broad, high), stage.colors[0], stage.floor - stage.unit * 0.12)
    _window(room, stage.unit)
    for place, share in ((0.14, 0.2), (0.82, 0.27)):
        _podium(room, (broad * place, stage.floor - stage.unit * 0.1), stage.unit * share * 0.6, stage.colors[1])
    room = room.filter(ImageFilter.GaussianBlur(stage.unit / 180))
    shadow = _shadow(art.width * 0.84, stage.depth)

    def at(moment: float) -> Image.Image:
        course = _eased(moment)
        left = round((broad - wide) * course)
        frame = room.crop((left, 0, left + wide, high))
        angle = _SWING * (1 - 2 * course)
        foot = (wide / 2 + stage.unit * 0.05 * (0.5 - course), stage.floor + stage.unit * 0.06)
        _fall(frame, shadow, (foot[0], foot[1] - 2))
        _put(frame, _lit(_turned(art, angle), 0.15 + 0.7 * course), (foot[0], foot[1] - stage.lift))
        return frame

    return at


def _standing(stage: Stage) -> Shot:
    """Nothing moves but the light, and the camera comes nearer."""
    wide, high = stage.size
    art = stage.art(0.64)
    plate = _wall(stage.size, WHITE.mixed(stage.colors[0], 0.5), stage.floor)
    _fall(plate, _shadow(art.width * 0.84, stage.depth), (wide / 2, stage.floor + 4))

    def at(moment: float) -> Image.Image:
        frame = plate.copy()
        _put(frame, _lit(art, -0.3 + 1.6 * _eased(moment), strength=0.34), (wide / 2, stage.floor - stage.lift))
        seen = 1 - _NEARER * _eased(moment)
        left, top = wide * (1 - seen) / 2, high * (1 - seen) * 0.62
        box = (left, top, left + wide * seen, top + high * seen)
        return frame.resize(stage.size, Image.Resampling.BILINEAR, box)

    return at


SHOTS: dict[str, Callable[[Stage], Shot]] = {
    "minimal": _standing,
    "lifestyle": _walking,
    "unboxing": _unboxing,
    "360": _turning,
    "showcase": _turning,
}


def empty(size: tuple[int, int], color: Color) -> Shot:
    """A studio with nothing in it."""
    plate = _wall(size, color, size[1] * 0.84)
    return lambda _moment: plate


def _eased(moment: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * moment)


def _between(moment: float, start: float, end: float) -> float:
    """How much of a span of time has passed, 0 to 1, beginning and ending gently."""
    return _eased(min(1.0, max(0.0, (moment - start) / (end - start))))


def _wall(size: tuple[int, int], color: Color, floor: float) -> Image.Image:
    """A wall in the light of a lamp, and a floor that mirrors a little of it. floor: its near edge."""
    wide, high = size
    tint = WHITE.mixed(color, 0.5)
    plate = Image.new("RGB", size, tuple(tint))
    faint = [max(0, 176 - v) * 3 // 4 for v in range(256)]  # nothing is left of it where its square ends
    glow = (
        Image.radial_gradient("L").point(faint).resize((round(wide * 1.2), round(high * 1.4)), Image.Resampling.BICUBIC)
    )
    plate.paste(tuple(WHITE), (round(-wide * 0.16), round(-high * 0.3)), glow)
    edge = Image.new("L", (1, high), 0)
    edge.putdata(
        [
            round(120 * max(0.0, 1 - abs(y - floor + 90) / 240))
            if y < floor - 60
            else max(0, 120 - int(y - floor + 60))
            for y in range(high)
        ]
    )
    plate.paste(tuple(tint.mixed(BLACK, 0.22)), (0, 0), edge.resize(size))
    return plate


def _window(plate: Image.Image, unit: float) -> None:
    """Sunlight through two panes."""
    light = Image.new("L", (plate.width // _COARSE, plate.height // _COARSE), 0)
    draw = ImageDraw.Draw(light)
    for start in (0.3, 0.72):
        x, w, lean = start * unit / _COARSE, 0.3 * unit / _COARSE, 0.25 * unit / _COARSE
        draw.polygon(
            [(x, 0), (x + w, 0), (x + w + lean, light.height * 0.66), (x + lean, light.height * 0.66)], fill=120
        )
    soft = light.filter(ImageFilter.GaussianBlur(2)).resize(plate.size, Image.Resampling.BICUBIC)
    plate.paste(tuple(WHITE), mask=soft)


def _podium(plate: Image.Image, top: Point, radius: float, color: Color) -> None:
    (x, y), flat = top, radius * 0.16
    skin = color.mixed(WHITE, 0.42)
    body = Image.new("L", (plate.width * 2, plate.height * 2), 0)
    draw = ImageDraw.Draw(body)
    draw.rectangle((2 * (x - radius), 2 * y, 2 * (x + radius), 2 * plate.height), fill=255)
    body = body.reduce(2)
    strip = Image.new("RGB", (256, 1))
    strip.putdata([tuple(skin.mixed(BLACK, 0.04 + 0.34 * max(0.0, v / 255 - 0.3) ** 1.2)) for v in range(256)])
    skinned = strip.resize((round(2 * radius), plate.height), Image.Resampling.BICUBIC)
    plate.paste(
        skinned,
        (round(x - radius), 0),
        body.crop((round(x - radius), 0, round(x - radius) + skinned.width, plate.height)),
    )
    lid = Image.new("L", (round(radius * 4), round(flat * 4)), 0)
    ImageDraw.Draw(lid).ellipse((0, 0, lid.width - 1, lid.height - 1), fill=255)
    plate.paste(tuple(skin.mixed(WHITE, 0.45)), (round(x - radius), round(y - flat)), lid.reduce(2))


def _panel(size: tuple[int, int], color: Color) -> Image.Image:
    """A side of a box, lit from the left."""
    strip = Image.new("RGB", (64, 1))
    strip.putdata([tuple(color.mixed(WHITE, 0.16).mixed(BLACK, 0.3 * v / 63)) for v in range(64)])
    panel = strip.resize(size, Image.Resampling.BICUBIC).convert("RGBA")
    ImageDraw.Draw(panel).line((0, 1, size[0], 1), fill=(*color.mixed(WHITE, 0.5), 255), width=3)
    return panel


def _shadow(width: float, depth: float) -> Image.Image:
    """Where something touches the ground. depth: how dark, 0 to 1."""
    wide, high = round(width * 1.5 / _COARSE), max(4, round(width * 0.26 / _COARSE))
    shade = Image.new("L", (wide, high), 0)
    ImageDraw.Draw(shade).ellipse((wide * 0.17, high * 0.3, wide * 0.83, high * 0.7), fill=round(255 * depth))
    soft = shade.filter(ImageFilter.GaussianBlur(max(1.0, high / 7)))
    return soft.resize((wide * _COARSE, high * _COARSE), Image.Resampling.BICUBIC)


def _fall(plate: Image.Image, shadow: Image.Image, foot: Point, share: float = 1.0) -> None:
    """A shadow falls around a foot. share: how much of it."""
    if share <= 0:
        return
    if share < 1:
        shadow = shadow.point([round(v * share) for v in range(256)])
    at = (round(foot[0] - shadow.width * 0.48), round(foot[1] - shadow.height / 2))
    plate.paste(tuple(BLACK), (*at, at[0] + shadow.width, at[1] + shadow.height), shadow)


def _put(frame: Image.Image, art: Image.Image, foot: Point) -> None:
    """The middle of its foot stands there."""
    frame.paste(art, (round(foot[0] - art.width / 2), round(foot[1] - art.height)), art)


def _turned(art: Image.Image, degrees: float) -> Image.Image:
    """Turned about its upright axis, as a camera at arm's length sees it: the near edge is higher than the far one."""
    wide, high = art.size
    angle = math.radians(degrees)
    narrow, near = wide / 2 * math.cos(angle), 0.13 * high * math.sin(angle)
    left, right = wide / 2 - narrow, wide / 2 + narrow
    corners = [(left, -near / 2), (right, near / 2), (right, high - near / 4), (left, high + near / 4)]
    low = min(y for _, y in corners)
    shifted = [(x, y - low) for x, y in corners]
    tall = math.ceil(max(y for _, y in shifted))
    return art.transform(
        (wide, tall), Image.Transform.PERSPECTIVE, _coefficients(shifted, art.size), Image.Resampling.BILINEAR
    )


def _coefficients(corners: list[Point], size: tuple[int, int]) -> tuple[float, ...]:
    """Pillow's eight numbers that take each of these corners from the art's."""
    wide, high = size
    rows: list[list[float]] = []
    found: list[float] = []
    for (x, y), (u, v) in zip(corners, ((0, 0), (wide, 0), (wide, high), (0, high)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        found += [u, v]
    return tuple(float(value) for value in np.linalg.solve(np.array(rows, float), np.array(found, float)))


def _lit(art: Image.Image, place: float, *, strength: float = 0.2) -> Image.Image:
    """A band of light over the art. place: 0 at its left edge, 1 at its right."""
    wide, high = art.size
    strip = Image.new("L", (128, 1))
    strip.putdata([round(255 * strength * math.exp(-(((v / 127 - place) / 0.13) ** 2))) for v in range(128)])
    band = ImageChops.multiply(strip.resize((wide, high), Image.Resampling.BICUBIC), art.getchannel("A"))
    shone = art.copy()
    shone.paste((*WHITE, 255), (0, 0), band)
    shone.putalpha(art.getchannel("A"))
    return shone
