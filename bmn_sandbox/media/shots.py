"""What happens in a film: a frame for each moment of it, 0 to 1. Only what moves is drawn again."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from PIL import Image, ImageDraw

from bmn_sandbox.media import sets
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.cutout import Product
from bmn_sandbox.media.placing import sized
from bmn_sandbox.media.turning import turner

Shot = Callable[[float], Image.Image]
Point = tuple[float, float]
_SWING = 34.0  # degrees that a product turns to each side
_SWINGS = {"box": 28.0}  # farther, and one sees a face that its picture does not have
_CLOTH_SWING = 16.0  # what hangs is flat, and shows it where it turns farther
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
    def floats(self) -> bool:
        """Whether it cannot stand, and floats in a film: garments do; a poster leans."""
        return self.product.hangs and self.product.kind != "poster"

    @property
    def lift(self) -> float:
        """How high above the floor it is."""
        return self.unit * 0.05 if self.floats else 0.0

    @property
    def depth(self) -> float:
        """How dark its shadow is."""
        return 0.32 if self.floats else 0.62

    @property
    def swing(self) -> float:
        """How far it turns to each side, in degrees."""
        return _CLOTH_SWING if self.floats else _SWINGS.get(self.product.kind, _SWING)

    def art(self, share: float) -> Image.Image:
        """The product, as high as this share of the frame's shorter side, or as broad where it is broader."""
        art = self.product.art
        return sized(art, self.unit * share * min(1.0, 1.25 * art.height / art.width))


def _turning(stage: Stage) -> Shot:
    """It turns on a podium before an arch, to one side and to the other, while the camera rises."""
    wide, high = stage.size
    art = stage.art(0.56)
    top = stage.floor - stage.unit * 0.06
    rise = round(high * 0.04)  # so much lower the camera begins
    plate = sets.wall((wide, high + rise), stage.colors[0], stage.floor + rise)
    sets.arch(plate, stage.colors[1], stage.floor + rise)
    radius = max(art.width * 0.7, stage.unit * 0.26)
    sets.podium(plate, (wide / 2, top + rise), radius, stage.colors[0], high * 0.1)
    sets.fall(plate, sets.shadow(art.width * 0.9, stage.depth * 0.5), (wide / 2, top + rise + 4))
    turned = turner(stage.product, art)

    def at(moment: float) -> Image.Image:
        course = _eased(moment)
        above = round(rise * (1 - course))
        frame = plate.crop((0, above, wide, above + high))
        seen = turned(stage.swing * math.sin(2 * math.pi * course))
        foot = (wide / 2, top + rise - above + stage.unit * 0.012)
        if not stage.floats:
            mirrored = sets.reflection(seen, radius * 0.12, 0.2)
            frame.paste(mirrored, (round(foot[0] - seen.width / 2), round(foot[1]) - 2), mirrored)
            sets.touch(frame, seen, foot, stage.depth)
        sets.put(frame, seen, (foot[0], foot[1] - stage.lift))
        return frame

    return at


def _unboxing(stage: Stage) -> Shot:
    """A carton opens in a burst of paper, the product rises out of it and comes to stand before it."""
    wide, high = stage.size
    plate = sets.wall(stage.size, stage.colors[0], stage.floor)
    whole = stage.art(0.6)
    carton = _Carton(stage.colors[1], stage.unit, max(whole.width * 0.46, stage.unit * 0.25))
    below, boxed = sets.shadow(whole.width * 0.95, stage.depth * 0.6), sets.shadow(carton.half * 2.1, 0.7)
    aside = min(stage.unit * 0.36, wide * 0.2)

    @cache
    def grown(height: int) -> Image.Image:
        """Its size while it comes nearer, in steps of two pixels."""
        return whole.resize((max(8, round(whole.width * height / whole.height)), height), Image.Resampling.BILINEAR)

    def at(moment: float) -> Image.Image:
        opened, risen, forward = (_between(moment, *span) for span in ((0.06, 0.3), (0.24, 0.58), (0.56, 0.88)))
        frame = plate.copy()
        box = (wide / 2 - aside * forward, stage.floor - high * 0.01)
        sets.fall(frame, boxed, box)
        carton.back(frame, box, opened)
        art = grown(round(whole.height * (0.44 + 0.16 * forward) / 1.2) * 2)
        hidden = box[1] - carton.tall * 0.04 - risen * (carton.tall * 1.02 + stage.unit * 0.02)
        ground = stage.floor + stage.unit * 0.085
        foot = (wide / 2 + aside * 0.42 * forward, hidden + (ground - stage.lift - hidden) * forward)
        if risen > 0 and forward == 0:
            inside = round(max(0.0, foot[1] - (box[1] - 2)))
            sets.put(frame, art.crop((0, 0, art.width, max(8, art.height - inside))), (foot[0], foot[1] - inside))
        carton.front(frame, box, opened)
        sets.fall(frame, below, (foot[0], ground + 2), forward**3)
        if forward > 0:
            if not stage.floats:
                sets.touch(frame, art, (foot[0], ground), stage.depth * forward**4)
            sets.put(frame, art, foot)
        papers = (*stage.colors, WHITE, stage.colors[1].mixed(BLACK, 0.2))
        sets.confetti(frame, papers, (wide / 2, box[1] - carton.tall), stage.unit, (moment - 0.2) / 0.74)
        return frame

    return at


@dataclass(frozen=True)
class _Carton:
    """A carton with two flaps. half: of its width, in pixels."""

    color: Color
    unit: float
    half: float

    @property
    def tall(self) -> float:
        return self.unit * 0.34

    @cached_property
    def side(self) -> Image.Image:
        return sets.panel((round(self.half * 2), round(self.tall)), self.color.mixed(WHITE, 0.1))

    def back(self, frame: Image.Image, foot: Point, opened: float) -> None:
        """What is behind that which is in it: the inside, and the flaps once they have swung over."""
        x, top = foot[0], foot[1] - self.tall
        deep = self.tall * 0.2
        inside = self.color.mixed(BLACK, 0.5)
        draw = ImageDraw.Draw(frame)
        draw.polygon([(x - self.half, top), (x - self.half * 0.86, top - deep), (x + self.half * 0.86, top - deep),
                      (x + self.half, top)], fill=tuple(inside))  # fmt: skip
        draw.polygon([(x - self.half * 0.86, top - deep), (x + self.half * 0.86, top - deep), (x + self.half, top),
                      (x + self.half * 0.9, top + 2), (x - self.half, top + 2)],
                     fill=tuple(inside.mixed(BLACK, 0.2)))  # fmt: skip
        if opened > 0.5:
            self._flaps(draw, (x, top), deep, opened)

    def front(self, frame: Image.Image, foot: Point, opened: float) -> None:
        x, top = foot[0], foot[1] - self.tall
        sets.put(frame, self.side, foot)
        draw = ImageDraw.Draw(frame)
        band = self.half * 0.13
        draw.rectangle((x - band, top + 2, x + band, top + self.tall * 0.3), fill=tuple(self.color.mixed(BLACK, 0.34)))
        if opened <= 0.5:
            self._flaps(draw, (x, top), self.tall * 0.2, opened)

    def _flaps(self, draw: ImageDraw.ImageDraw, middle: Point, deep: float, opened: float) -> None:
        """Each turns about its side of the opening, from lying on it to hanging over."""
        (x, top), angle = middle, math.radians(152 * opened)
        for side in (-1, 1):
            near, far = (x + side * self.half, top), (x + side * self.half * 0.86, top - deep)
            reach = (-side * math.cos(angle) * self.half, -math.sin(angle) * self.half * 0.8)
            outer = [(px + reach[0] * share, py + reach[1] * share) for (px, py), share in ((far, 0.86), (near, 1.0))]
            light = self.color.mixed(WHITE, 0.36 if side < 0 else 0.2)
            shade = light if opened <= 0.5 else light.mixed(BLACK, 0.16 if side < 0 else 0.3)
            draw.polygon([near, far, *outer], fill=tuple(shade))
            draw.line([outer[0], outer[1]], fill=tuple(light.mixed(WHITE, 0.4)), width=2)


def _walking(stage: Stage) -> Shot:
    """The camera walks around it: the room passes behind, leaves before it, and it shows one side and then the other."""
    wide, high = stage.size
    art = stage.art(0.62)
    broad = round(wide * 1.3)
    room = sets.room((broad, high), stage.colors)
    leaves = sets.foliage(stage.unit)
    shadow = sets.shadow(art.width, stage.depth * 0.5)
    turned = turner(stage.product, art)

    def at(moment: float) -> Image.Image:
        course = _eased(moment)
        left = round((broad - wide) * course)
        frame = room.crop((left, 0, left + wide, high))
        foot = (wide / 2 + stage.unit * 0.08 * (0.5 - course), stage.floor + stage.unit * 0.05)
        sets.fall(frame, shadow, (foot[0], foot[1] - 2))
        seen = turned(stage.swing * (1 - 2 * course))
        if not stage.floats:
            sets.touch(frame, seen, foot, stage.depth)
        sets.put(frame, seen, (foot[0], foot[1] - stage.lift))
        frame.paste(
            leaves, (round(wide * 0.02 - stage.unit * (0.1 + 0.7 * course)), high - leaves.height * 3 // 5), leaves
        )
        return frame

    return at


def _standing(stage: Stage) -> Shot:
    """It turns a little toward the light, the shadow that it throws moves, and the camera comes nearer."""
    wide, _high = stage.size
    art = stage.art(0.62)
    plate = sets.wall(stage.size, stage.colors[0], stage.floor, strength=0.34)
    near, thrown = sets.shadow(art.width * 0.9, stage.depth * 0.6), sets.shadow(art.width * 1.5, stage.depth * 0.4)
    turned = turner(stage.product, art)

    def at(moment: float) -> Image.Image:
        frame, course = plate.copy(), _eased(moment)
        sets.fall(frame, thrown, (wide / 2 + art.width * (0.4 - 0.8 * course), stage.floor - 2))
        sets.fall(frame, near, (wide / 2, stage.floor + 4))
        seen = turned(0.5 * stage.swing * (1 - 1.6 * course))
        if not stage.floats:
            mirrored = sets.reflection(seen, seen.height / 4, 0.2)
            frame.paste(mirrored, (round((wide - seen.width) / 2), round(stage.floor) - 2), mirrored)
            sets.touch(frame, seen, (wide / 2, stage.floor), stage.depth)
        sets.put(frame, seen, (wide / 2, stage.floor - stage.lift))
        return _nearer(frame, _NEARER * course)

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
    plate = sets.wall(size, color, size[1] * 0.84)
    return lambda _moment: plate


def _nearer(frame: Image.Image, share: float) -> Image.Image:
    """What the camera sees that has come nearer. share: of the frame, left out."""
    wide, high = frame.size
    left, top = wide * share / 2, high * share * 0.62
    box = (left, top, left + wide * (1 - share), top + high * (1 - share))
    return frame.resize(frame.size, Image.Resampling.BILINEAR, box)


def _eased(moment: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * moment)


def _between(moment: float, start: float, end: float) -> float:
    """How much of a span of time has passed, 0 to 1, beginning and ending gently."""
    return _eased(min(1.0, max(0.0, (moment - start) / (end - start))))
