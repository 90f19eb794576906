"""Things to carry: tote bag, carrier bag."""
# ruff: noqa: E501 - path data reads worse when it is broken

from PIL import Image

from bmn_sandbox.media.canvas import (
    Outline,
    ellipse,
    floor_shadow,
    line,
    lying_shadow,
    mask,
    moved,
    paint,
    ramp,
    soft,
    studio,
    within,
)
from bmn_sandbox.media.cloth import both_sides, light, print_on, relief, sewn, stitched
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.placement import print_flat
from bmn_sandbox.media.scene import CREAM, Scene


def tote(scene: Scene) -> Image.Image:
    cloth = scene.on(CREAM)
    canvas = studio(scene.brand, horizon=None)
    _strap(canvas, "M380 380 C384 130 440 74 512 74 C584 74 640 130 644 380", cloth.mixed(BLACK, 0.2))
    shape = mask(
        "M252 348 C340 340 420 346 512 346 C604 346 684 340 772 348 C778 470 790 640 804 800 C806 850 808 880 804 902 "
        "C790 924 740 930 690 928 C580 936 444 936 334 928 C284 930 234 924 220 902 C216 880 218 850 220 800 "
        "C234 640 246 470 252 348"
    )
    lying_shadow(canvas, shape)
    paint(canvas, shape, cloth)
    surface = relief(shape, both_sides(_TOTE_CREASES, 0.7), full=40, ripple=0.9, seed=21)
    if art := scene.art(360, 330, cloth):
        print_on(canvas, art, (512, 640), surface)
    _weave(canvas, shape)
    light(canvas, surface, cloth, depth=0.9)
    paint(canvas, within(soft("M240 392 C340 384 684 384 784 392", 8, width=12), shape), BLACK, 0.14)
    sewn(canvas, "M240 394 C340 386 684 386 784 394", shape)
    stitched(canvas, "M246 386 C340 378 684 378 778 386", shape)
    stitched(canvas, "M248 360 C340 352 684 352 776 360", shape)
    _strap(canvas, "M360 412 L360 340 C362 140 422 104 512 104 C602 104 662 140 664 340 L664 412", cloth)
    for x in (360, 664):
        cross = f"M{x - 13} 366 L{x + 13} 366 L{x + 13} 404 L{x - 13} 404 L{x - 13} 366 L{x + 13} 404 M{x + 13} 366 L{x - 13} 404"
        paint(canvas, line(cross, 1.6, dashes=(7, 4)), BLACK, 0.4)
    return canvas


_ABOVE = ramp([(404, 255), (406, 0)], vertical=True)  # straps end there, sewn on


def _strap(canvas: Image.Image, path: str, cloth: Color) -> None:
    """A webbing strap: its shadow, its rounded body, a row of stitches along each edge."""
    band = within(line(path, 36), _ABOVE)
    paint(canvas, moved(soft(band, 12), 7, 12), BLACK, 0.24)
    paint(canvas, band, cloth)
    paint(canvas, within(moved(soft(path, 8, width=12), 13, 6), band), BLACK, 0.26)
    paint(canvas, within(moved(soft(path, 6, width=10), -8, -6), band), WHITE, 0.34)
    for width in (26, 24):
        edge = line(path, width, dashes=(7, 5))
        paint(canvas, within(edge, Image.eval(line(path, width - 3), lambda v: 255 - v)), BLACK, 0.16)


def _weave(canvas: Image.Image, clip: Image.Image) -> None:
    """Threads of canvas, one over and one under the other."""
    tile = Image.new("L", (8, 8))
    tile.putdata([150 * ((x // 2 + y // 2) % 2) + 60 * (x % 4 == 0) for y in range(8) for x in range(8)])
    row = Image.new("L", clip.size)
    for x in range(0, clip.width, 8):
        row.paste(tile, (x, 0))
    strip = row.crop((0, 0, clip.width, 8))
    for y in range(0, clip.height, 8):
        row.paste(strip, (0, y))
    paint(canvas, within(row, clip), BLACK, 0.06)


_TOTE_CREASES = [
    ("M372 410 C368 470 340 540 304 600", 34, 7.0), ("M346 410 C336 460 306 510 274 550", 28, -7.0),
    ("M392 412 C396 480 384 560 360 640", 34, -4.0), ("M262 470 C276 560 270 650 250 740", 34, -5.0),
    ("M290 926 C300 860 330 800 372 760", 34, 7.0), ("M250 900 C270 850 290 820 320 790", 30, -7.0),
    ("M380 926 C396 880 420 850 460 836", 30, -5.0), ("M352 928 C364 880 384 846 410 826", 26, 5.0),
    ("M512 420 C500 450 470 470 430 476", 26, 3.0),
]  # fmt: skip


def carrier_bag(scene: Scene) -> Image.Image:
    """A paper bag with cord handles: what anything we have no drawing for is sold in."""
    paper = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=690)
    floor_shadow(canvas, [(236.0, 880.0), (640.0, 936.0), (800.0, 866.0), (620.0, 830.0)], opacity=0.32)
    front: Outline = [(226.0, 318.0), (632.0, 304.0), (640.0, 924.0), (246.0, 890.0)]
    side: Outline = [(632.0, 304.0), (786.0, 296.0), (790.0, 850.0), (640.0, 924.0)]
    back_cord = "M404 306 C396 140 640 120 656 296"
    paint(canvas, line(back_cord, 12), scene.brand.mixed(BLACK, 0.45))
    mouth: Outline = [(226.0, 318.0), (392.0, 298.0), (786.0, 296.0), (632.0, 304.0)]
    paint(canvas, mask(mouth), paper.mixed(BLACK, 0.45))
    paint(canvas, mask(front), paper)
    paint(canvas, mask(side), paper.mixed(BLACK, 0.22))
    crease: Outline = [(709.0, 300.0), (716.0, 720.0), (640.0, 924.0)]
    paint(
        canvas, within(mask([(709.0, 300.0), (786.0, 296.0), (790.0, 850.0), (716.0, 720.0)]), mask(side)), BLACK, 0.16
    )
    paint(canvas, line(crease, 2), BLACK, 0.25)
    paint(canvas, line([(716.0, 720.0), (790.0, 850.0)], 2), BLACK, 0.2)
    if art := scene.art(300, 330, paper):
        print_flat(canvas, art, (434, 618), (1.0, -0.0), (0.014, 1.0))
    paint(canvas, within(mask(front), ramp([(420, 0), (650, 160)])), BLACK, 0.14)
    paint(canvas, within(soft(ellipse(330, 460, 140, 200), 80), mask(front)), WHITE, 0.22)
    paint(canvas, within(mask(front), ramp([(700, 0), (930, 200)], vertical=True)), BLACK, 0.14)
    paint(canvas, line([(226.0, 318.0), (632.0, 304.0), (786.0, 296.0)], 3), WHITE, 0.55)
    cord = "M330 372 C310 130 540 110 528 366"
    paint(canvas, soft(line("M338 382 C320 150 552 130 538 376", 12), 8), BLACK, 0.25)
    paint(canvas, line(cord, 13), scene.brand.mixed(BLACK, 0.25))
    paint(canvas, line("M328 360 C312 132 538 112 527 350", 3), WHITE, 0.35)
    for x, y in ((330, 374), (528, 368)):
        paint(canvas, mask(ellipse(x, y, 11, 11)), BLACK, 0.6)
    return canvas
