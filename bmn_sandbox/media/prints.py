"""Things that are printed: poster, stickers."""
# ruff: noqa: E501 - path data reads worse when it is broken

import numpy as np
from PIL import Image, ImageFilter

from bmn_sandbox.media.canvas import (
    SIZE,
    Point,
    beside,
    ellipse,
    line,
    lying_shadow,
    mask,
    moved,
    paint,
    ramp,
    rounded,
    soft,
    studio,
    within,
    without,
)
from bmn_sandbox.media.cloth import light, relief
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.placement import print_flat
from bmn_sandbox.media.scene import Scene

_OAK = Color(196, 154, 112)
_LEAF = Color(96, 122, 92)
_COARSE = 4  # a sticker's outline is found this much smaller


def poster(scene: Scene) -> Image.Image:
    """In an oak frame on a ledge, in the light of a window: the logo, over a field that is patterned with it."""
    sheet = scene.on(scene.brand.mixed(WHITE, 0.88))
    canvas = studio(scene.brand, horizon=None)
    with beside(canvas):
        for left in (70.0, 330.0):
            pane = [(left, -20.0), (left + 200, -20.0), (left + 520, 900.0), (left + 320, 900.0)]
            paint(canvas, soft(pane, 20), WHITE, 0.34)
        _ledge(canvas)
    frame, inner, picture = (
        mask(rounded(232, 84, 752, 862, 4)),
        mask(rounded(250, 102, 734, 844, 2)),
        rounded(292, 144, 692, 802, 1),
    )
    lying_shadow(canvas, frame, opacity=0.42)
    paint(canvas, frame, _OAK)
    light(canvas, relief(without(frame, inner), [], full=30, ripple=0), _OAK)
    paint(canvas, inner, Color(250, 249, 246))
    paint(canvas, within(soft("M250 104 L734 104", 7, width=14), inner), BLACK, 0.34)
    paint(canvas, within(soft("M252 102 L252 844", 7, width=12), inner), BLACK, 0.22)
    inside = mask(picture)
    paint(canvas, inside, sheet)
    _artwork(canvas, scene, sheet, inside)
    paint(canvas, line([*picture, picture[0]], 1.4), BLACK, 0.16)
    for shine in ("M250 560 L600 102 L700 102 L250 690", "M250 760 L734 128 L734 170 L250 806"):
        paint(canvas, within(mask(shine), inner), WHITE, 0.1)
    with beside(canvas):
        _vase(canvas, scene.brand)
    return canvas


def _artwork(canvas: Image.Image, scene: Scene, sheet: Color, inside: Image.Image) -> None:
    """A block of the brand's color below, with the logo as its pattern; the logo itself above."""
    accent = next((c for c in (*scene.palette, BLACK) if c != sheet), BLACK)
    field = within(inside, mask([(292.0, 560.0), (692.0, 560.0), (692.0, 802.0), (292.0, 802.0)]))
    paint(canvas, field, accent)
    if small := scene.art(104, 68, accent):
        for row in (0, 1):
            for column in range(3):  # whole ones, none cropped
                print_flat(canvas, small, (492 + (column - 1) * 128, 630 + row * 100), (1.0, 0.0), (0.0, 1.0))
    if art := scene.art(290, 290, sheet):
        print_flat(canvas, art, (492, 352), (1.0, 0.0), (0.0, 1.0))


def _ledge(canvas: Image.Image) -> None:
    board = mask([(0.0, 872.0), (1024.0, 872.0), (1024.0, 934.0), (0.0, 934.0)])
    paint(canvas, soft([(0.0, 930.0), (1024.0, 930.0), (1024.0, 980.0), (0.0, 980.0)], 26), BLACK, 0.3)
    paint(canvas, board, _OAK.mixed(WHITE, 0.14))
    paint(
        canvas,
        within(ramp([(872, 0), (890, 0), (894, 255), (934, 255)], vertical=True), board),
        _OAK.mixed(BLACK, 0.55),
        0.5,
    )
    for y in (902.0, 910.0, 921.0):
        paint(
            canvas,
            within(soft([(0.0, y), (400.0, y + 3), (1024.0, y - 2)], 4, width=4), board),
            _OAK.mixed(BLACK, 0.5),
            0.3,
        )


def _vase(canvas: Image.Image, brand: Color) -> None:
    """A vase with a twig."""
    paint(canvas, line("M868 700 C862 600 880 520 862 400", 4), _LEAF.mixed(BLACK, 0.3))
    for x, y, turn in ((862, 410, -1), (872, 470, 1), (872, 520, -1), (872, 570, 1), (868, 610, -1)):
        leaf = f"M{x} {y + 40} C{x + turn * 20} {y + 6} {x + turn * 66} {y - 10} {x + turn * 92} {y - 40} C{x + turn * 84} {y + 14} {x + turn * 50} {y + 44} {x} {y + 40}"
        shape = mask(leaf)
        paint(canvas, shape, _LEAF if turn > 0 else _LEAF.mixed(WHITE, 0.14))
        paint(canvas, within(soft(leaf, 10, width=8), shape), _LEAF.mixed(BLACK, 0.5), 0.34)
    clay = WHITE.mixed(brand, 0.2)
    vase = mask(
        "M848 664 L888 664 C886 708 930 730 930 800 C930 852 908 880 868 880 C828 880 806 852 806 800 C806 730 850 708 848 664"
    )
    paint(canvas, soft(ellipse(884, 880, 66, 9), 8), BLACK, 0.5)
    paint(canvas, moved(soft(vase, 24), 26, 10), BLACK, 0.2)
    paint(canvas, vase, clay)
    light(canvas, relief(vase, [], full=90, ripple=0), clay)
    paint(canvas, mask(ellipse(868, 665, 20, 5)), clay.mixed(BLACK, 0.5))


def stickers(scene: Scene) -> Image.Image:
    canvas = studio(scene.brand, horizon=None)
    if scene.logo is None:
        blank = mask(ellipse(512, 512, 260, 260))
        lying_shadow(canvas, blank)
        paint(canvas, blank, WHITE)
        return canvas
    for centre, angle, size in (((288, 290), -16.0, 280), ((742, 762), 13.0, 300), ((520, 520), -4.0, 540)):
        _die_cut(canvas, scene, centre, angle, size)
    return canvas


def _die_cut(canvas: Image.Image, scene: Scene, centre: Point, angle: float, size: float) -> None:
    """A sticker cut along the logo's own outline, with a rim of vinyl."""
    vinyl = scene.on(WHITE)
    art = scene.art(size, size, vinyl)
    if art is None:
        return
    layer = Image.new("RGBA", (SIZE, SIZE))
    layer.paste(art, (round(centre[0] - art.width / 2), round(centre[1] - art.height / 2)))
    layer = layer.rotate(-angle, Image.Resampling.BICUBIC, center=centre)
    rim = 26 * size / 540 + 8
    cut = _cut_around(layer.getchannel("A"), rim)
    lying_shadow(canvas, cut, opacity=0.26)
    paint(canvas, cut, vinyl)
    canvas.paste(layer.convert("RGB"), mask=layer.getchannel("A"))
    gleam = mask(
        [
            (centre[0] - size, centre[1] + size),
            (centre[0] - size * 0.1, centre[1] - size),
            (centre[0] + size * 0.2, centre[1] - size),
            (centre[0] - size * 0.7, centre[1] + size),
        ]
    )
    paint(canvas, within(gleam, cut), WHITE, 0.14)
    edge = without(cut, moved(cut, -2, -3))
    paint(canvas, edge, BLACK, 0.14)


def _cut_around(alpha: Image.Image, rim: float) -> Image.Image:
    """A smooth outline at some distance around a shape, without holes: a knife makes none. rim: in pixels."""
    small = alpha.reduce(_COARSE)
    shape, reach = small.point([0] * 60 + [255] * 196), max(1, round(0.6 * rim / _COARSE))
    grown = shape.filter(ImageFilter.MaxFilter(2 * reach + 1))  # thin lines as far as broad ones
    smooth = grown.filter(ImageFilter.GaussianBlur(0.7 * rim / _COARSE)).point([0] * 40 + [255] * 216)
    area = np.asarray(smooth)
    # What has some of it on all four sides is inside.
    before = [np.maximum.accumulate(area, axis) for axis in (0, 1)]
    after = [np.flip(np.maximum.accumulate(np.flip(area, axis), axis), axis) for axis in (0, 1)]
    filled = Image.fromarray(np.minimum.reduce([*before, *after]))
    filled = filled.filter(ImageFilter.GaussianBlur(1.6))
    full = filled.resize(alpha.size, Image.Resampling.BICUBIC)
    return full.point([min(255, max(0, (value - 100) * 6)) for value in range(256)])
