"""What happens in a film: a frame for each moment of it, 0 to 1. Only what moves is drawn again."""

import math
from collections.abc import Callable

from PIL import Image

from bmn_sandbox.media import sets
from bmn_sandbox.media.color import Color
from bmn_sandbox.media.cuboid import foot_of_carton
from bmn_sandbox.media.rounds import ROUNDS
from bmn_sandbox.media.stage import Shot, Stage, between, eased, smaller
from bmn_sandbox.media.turning import turner
from bmn_sandbox.media.unboxing import unboxing

_SUN = (255, 246, 230)
_SWEEPS = (0.06, 0.7)  # from when to when light goes over the wall
_FAR = 0.64  # so large is a product at first in the quiet film, beside the end


def _turning(stage: Stage) -> Shot:
    """It turns on a podium before an arch: round things once about themselves, others to one side and to the other."""
    wide, high = stage.size
    art = stage.art(0.6)
    top = stage.floor - stage.unit * 0.06
    plate = sets.wall((wide, high), stage.colors[0], stage.floor)
    sets.arch(plate, stage.colors[1], stage.floor)
    radius = max(art.width * 0.6, stage.unit * 0.26)
    sets.podium(plate, (wide / 2, top), radius, stage.colors[0], high * 0.1)
    sets.fall(plate, sets.shadow(art.width * 0.9, stage.depth * 0.5), (wide / 2, top + 4))
    turned = turner(stage.product, art)
    foot = (wide / 2, top + stage.unit * 0.012)
    around = stage.product.kind in ROUNDS

    def at(moment: float) -> Image.Image:
        frame, course = plate.copy(), eased(moment)
        seen = turned(-360 * course if around else stage.swing * math.sin(2 * math.pi * course))
        if not stage.floats:
            mirrored = sets.reflection(seen, radius * 0.12, 0.2)
            frame.paste(mirrored, (round(foot[0] - seen.width / 2), round(foot[1]) - 2), mirrored)
            sets.touch(frame, seen, foot, stage.depth)
        sets.put(frame, seen, (foot[0], foot[1] - stage.lift))
        return frame

    return at


def _walking(stage: Stage) -> Shot:
    """The camera walks around it: the room passes behind, leaves before it, and at last one sees its face."""
    wide, high = stage.size
    art = stage.art(0.66)
    broad = round(wide * 1.2)
    room = sets.room((broad, high), stage.colors)
    leaves = sets.foliage(stage.unit)
    turned = turner(stage.product, art)
    foot = (wide / 2, stage.floor + stage.unit * 0.06)
    shadow = sets.shadow(art.width, stage.depth * 0.5)
    # The picture of a carton shows its edge, the others show their face.
    first, last = (stage.swing * share for share in ((-0.7, 0.75) if stage.product.kind == "box" else (-1.0, 0.0)))

    def at(moment: float) -> Image.Image:
        course = eased(moment)
        left = (broad - wide) * course
        frame = room.resize((wide, high), Image.Resampling.BILINEAR, (left, 0, left + wide, high))
        # What is far passes to the left, so what is near passes to the right.
        degrees = first + (last - first) * course
        seen = turned(degrees)
        if stage.product.kind == "box":
            corners = foot_of_carton(art.width, degrees)
            sets.stand(frame, [(foot[0] + x, foot[1] + y) for x, y in corners], stage.depth * 1.3)
        else:
            sets.fall(frame, shadow, (foot[0], foot[1] - 2))
            if not stage.floats:
                sets.touch(frame, seen, foot, stage.depth)
        sets.put(frame, seen, (foot[0], foot[1] - stage.lift))
        frame.paste(leaves, (round(stage.unit * (0.12 * course - 0.2)), high - leaves.height * 3 // 5), leaves)
        return frame

    return at


def _standing(stage: Stage) -> Shot:
    """Light goes over the wall while it turns, at last to its face, and the camera comes near."""
    wide, high = stage.size
    art = stage.art(0.84)
    whole = smaller(art, min(1.0, 0.8 * wide / art.width))
    plate = sets.wall(stage.size, stage.colors[0], stage.floor, strength=0.34)
    window = sets.beams((2 * wide, high), 0.42)
    near, thrown = sets.shadow(whole.width * 0.8, stage.depth * 0.6), sets.shadow(whole.width * 1.2, stage.depth * 0.4)

    def at(moment: float) -> Image.Image:
        frame, course, swept = plate.copy(), eased(moment), between(moment, *_SWEEPS)
        foot = (wide / 2, stage.floor + (stage.near - stage.floor) * course)
        if 0 < swept < 1:
            left = round(wide * (1.5 - 2.15 * swept))
            frame.paste(_SUN, mask=window.crop((left, 0, left + wide, high)))
        sets.fall(frame, thrown, (foot[0] + whole.width * (0.34 - 0.6 * course), foot[1] - 2))
        sets.fall(frame, near, (foot[0], foot[1] + 4))
        shown = smaller(whole, _FAR + (1 - _FAR) * course)
        seen = turner(stage.product, shown)(stage.swing * math.cos(1.5 * math.pi * course))
        if not stage.floats:
            mirrored = sets.reflection(seen, seen.height / 6, 0.2)
            frame.paste(mirrored, (round((wide - seen.width) / 2), round(foot[1]) - 2), mirrored)
            sets.touch(frame, seen, foot, stage.depth)
        sets.put(frame, seen, (foot[0], foot[1] - stage.lift))
        return frame

    return at


SHOTS: dict[str, Callable[[Stage], Shot]] = {
    "minimal": _standing,
    "lifestyle": _walking,
    "unboxing": unboxing,
    "360": _turning,
    "showcase": _turning,
}


def empty(size: tuple[int, int], color: Color) -> Shot:
    """A studio with nothing in it."""
    plate = sets.wall(size, color, size[1] * 0.84)
    return lambda _moment: plate
