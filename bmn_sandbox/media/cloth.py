"""Cloth: a relief of folds in one light from the upper left, and prints that follow it.

The relief is reckoned at a quarter of the canvas' size, in pixels of the canvas; nobody sees the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps

from bmn_sandbox.media.canvas import SIZE, Point, line, moved, outlines, paint, soft, within
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.shapes import stroke

Heights = npt.NDArray[np.float64]
Crease = tuple[str, float, float]  # a path, how broad it is in its middle, and how high: what is negative is a valley
_COARSE = 4
_SIDE = SIZE // _COARSE
_LIGHT = (-0.42, -0.58, 0.70)  # toward the lamp
_CELLS = 14  # a side of the mesh on which a print is bent


@dataclass(frozen=True, slots=True)
class Relief:
    """Where the cloth is, and how high it lies there."""

    clip: Image.Image
    heights: Heights


def relief(
    clip: Image.Image, creases: Sequence[Crease], *, full: float = 34.0, ripple: float = 1.0, seed: int = 1
) -> Relief:
    """Cloth of this outline. full: how far it stands out in its middle. ripple: how restless it is between its creases."""
    shape = np.asarray(clip.reduce(_COARSE), float) / 255
    heights = full * (0.62 * _blurred(shape, 34, 34) + 0.38 * _blurred(shape, 11, 11))
    noise = np.random.default_rng(seed).standard_normal((_SIDE, _SIDE))
    for across, along, height in ((26, 70, 2.6), (11, 30, 0.8)):
        smooth = _blurred(noise, across, along)
        heights += smooth * (ripple * height / float(smooth.std()))
    for blur, some in ((11.0, [c for c in creases if c[1] > 18]), (5.0, [c for c in creases if c[1] <= 18])):
        if some:
            heights += _blurred(_folded(some), blur, blur)
    return Relief(clip, heights)


def _folded(creases: Sequence[Crease]) -> Heights:
    layer = Image.new("F", (_SIDE, _SIDE), 0)
    draw = ImageDraw.Draw(layer)
    for path, width, height in creases:
        points = [(x / _COARSE, y / _COARSE) for x, y in outlines(path)[0]]
        last = len(points) - 1
        widths = [max(0.6, width / _COARSE * (1 - (2 * place / last - 1) ** 2) ** 0.5) for place in range(last + 1)]
        for piece in stroke(points, widths):
            draw.polygon(piece, fill=height)
    return np.asarray(layer, float)


def _blurred(values: Heights, across: float, along: float) -> Heights:
    """across, along: standard deviations in pixels of the canvas."""
    x, y = np.fft.rfftfreq(_SIDE), np.fft.fftfreq(_SIDE)
    bell = -2 * (np.pi / _COARSE) ** 2
    kept = np.exp(bell * (along * y[:, None]) ** 2) * np.exp(bell * (across * x[None, :]) ** 2)
    return np.fft.irfft2(np.fft.rfft2(values) * kept, s=values.shape)


def light(canvas: Image.Image, cloth: Relief, color: Color, *, depth: float = 1.0) -> None:
    """Light and shadow of the folds, over the cloth and all that is printed on it. depth: how strong they are."""
    down, right = (slope / _COARSE for slope in np.gradient(cloth.heights))
    lx, ly, lz = _LIGHT
    turned = (lz - lx * right - ly * down) / np.sqrt(1 + right**2 + down**2) / lz - 1  # 0: as bright as what lies flat
    hollow = np.clip(_blurred(cloth.heights, 22, 22) - cloth.heights, 0, 9) / 9
    dark = color.luminance < 0.35
    shade = np.clip(-turned * (0.86 if dark else 0.56) + hollow * (0.26 if dark else 0.16), 0, 0.74) * depth
    gleam = np.clip(turned * (0.34 if dark else 0.7 if color.luminance > 0.75 else 0.56), 0, 0.6) * depth
    # Shadows keep the color of what they fall on, and light takes its own from the cloth: neither turns it gray.
    paint(canvas, within(_mask(shade), cloth.clip), color.mixed(BLACK, 0.86))
    paint(canvas, within(_mask(gleam), cloth.clip), color.mixed(WHITE, 0.6))


def _mask(share: Heights) -> Image.Image:
    small = Image.fromarray((share * 255).astype(np.uint8))
    return small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def print_on(canvas: Image.Image, art: Image.Image, centre: Point, cloth: Relief, *, opacity: float = 0.96) -> None:
    """Prints art on cloth: it is drawn in where the cloth turns away. `light` lays the folds over it."""
    down, right = (_blurred(np.asarray(slope), 12, 12) / _COARSE for slope in np.gradient(cloth.heights))
    art = ImageOps.expand(art, 8, (0, 0, 0, 0))  # where the mesh may draw it out to
    wide, high = art.size
    left, top = round(centre[0] - wide / 2), round(centre[1] - high / 2)

    def source(x: float, y: float) -> Point:
        row, column = (min(_SIDE - 1, max(0, int(at / _COARSE))) for at in (top + y, left + x))
        return x + 6 * float(right[row, column]), y + 6 * float(down[row, column])

    across = [round(wide * place / _CELLS) for place in range(_CELLS + 1)]
    along = [round(high * place / _CELLS) for place in range(_CELLS + 1)]
    mesh = []
    for x0, x1 in pairwise(across):
        for y0, y1 in pairwise(along):
            if x0 < x1 and y0 < y1:
                corners = (source(x0, y0), source(x0, y1), source(x1, y1), source(x1, y0))
                mesh.append(((x0, y0, x1, y1), tuple(part for corner in corners for part in corner)))
    bent = art.transform(art.size, Image.Transform.MESH, mesh, resample=Image.Resampling.BICUBIC)
    alpha = bent.getchannel("A").point([round(value * opacity) for value in range(256)])
    canvas.paste(bent.convert("RGB"), (left, top), alpha)


def sewn(canvas: Image.Image, path: str, clip: Image.Image) -> None:
    """Where two pieces of cloth meet: a groove, and the light on its far edge."""
    groove = line(path, 2)
    paint(canvas, within(moved(groove, 2, 2), clip), WHITE, 0.12)
    paint(canvas, within(soft(path, 6, width=10), clip), BLACK, 0.2)
    paint(canvas, within(groove, clip), BLACK, 0.34)


def stitched(canvas: Image.Image, path: str, clip: Image.Image) -> None:
    paint(canvas, within(line(path, 1.7, dashes=(8, 5)), clip), BLACK, 0.32)


def both_sides(creases: Sequence[Crease], other: float = 0.8) -> list[Crease]:
    """The creases and their mirror images, which are less deep: nobody wears a thing evenly."""
    return [*creases, *((_mirrored(path), width, height * other) for path, width, height in creases)]


def _mirrored(path: str) -> str:
    points = outlines(path)[0]
    return "M" + " L".join(f"{SIZE - x:.1f} {y:.1f}" for x, y in points)
