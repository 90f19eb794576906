"""Things for the table: mug, bottle, notebook, box."""
# ruff: noqa: E501 - path data reads worse when it is broken

from PIL import Image

from bmn_sandbox.media.canvas import (
    Outline,
    Point,
    ellipse,
    floor_shadow,
    line,
    lying_shadow,
    mask,
    moved,
    outlines,
    paint,
    ramp,
    rounded,
    soft,
    studio,
    turned,
    within,
)
from bmn_sandbox.media.cloth import light, relief
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.placement import print_flat, print_round
from bmn_sandbox.media.scene import KRAFT, PORCELAIN, STEEL, Scene

HANDLE = "M676 420 C846 366 892 470 856 576 C832 654 760 704 668 712"  # the middle of a mug's
MUG_AXIS, MUG_RADIUS, MUG_TOP, MUG_FOOT = 478.0, 226.0, 258.0, 848.0


def _cylinder_light(canvas: Image.Image, clip: Image.Image, left: float, right: float, *, gloss: float) -> None:
    """Light from the left on something round: a dark rim, a highlight, a body shadow and its reflection."""
    width = right - left

    def at(*stops: tuple[float, int]) -> Image.Image:
        return within(ramp([(left + share * width, value) for share, value in stops]), clip)

    paint(canvas, at((0, 190), (0.16, 40), (0.3, 0), (0.52, 0), (0.82, 190), (0.94, 235), (1, 150)), BLACK, 0.3)
    paint(canvas, at((0.03, 0), (0.09, 255), (0.13, 255), (0.22, 0)), WHITE, gloss)
    paint(canvas, at((0.9, 0), (0.95, 180), (1, 60)), WHITE, gloss * 0.5)


def mug(scene: Scene) -> Image.Image:
    """Glazed in a color on which the logo keeps its own; where there is none, white with the brand's color inside."""
    glaze = scene.on_its_own(scene.second, scene.brand, PORCELAIN)
    inner = scene.brand if glaze == PORCELAIN else PORCELAIN
    canvas = studio(scene.brand, horizon=640)
    paint(canvas, soft("M480 834 L850 770 L930 812 L600 862", 34), BLACK, 0.24)
    floor_shadow(canvas, ellipse(486, 836, 196, 16), opacity=0.42)
    _handle(canvas, inner if glaze == PORCELAIN else glaze)
    left, right, top, bottom = 252.0, 704.0, 316.0, 812.0
    body = (
        f"M{left} {top} C{left} 480 {left + 2} 640 {left + 8} {bottom - 70} C{left + 20} {bottom + 14} 366 {bottom + 36} 478 {bottom + 36} "
        f"C590 {bottom + 36} {right - 20} {bottom + 14} {right - 8} {bottom - 70} C{right - 2} 640 {right} 480 {right} {top}"
    )
    shape = mask([outlines(body)[0], ellipse(478, top, 226, 58)])
    paint(canvas, shape, glaze)
    if art := scene.art(312, 286, glaze):
        print_round(canvas, art, (478, 592), 226, bulge=34)
    _cylinder_light(canvas, shape, left, right, gloss=0.6 if glaze.luminance > 0.5 else 0.34)
    foot = f"M{left} {bottom + 6} Q478 {bottom + 76} {right} {bottom + 6}"
    paint(canvas, within(soft(foot, 20, width=44), shape), glaze.mixed(BLACK, 0.8), 0.32)
    paint(
        canvas,
        within(soft(f"M{left + 30} {bottom + 16} Q478 {bottom + 58} {right - 40} {bottom + 12}", 5, width=7), shape),
        WHITE,
        0.22,
    )
    _mouth(canvas, glaze, inner, top)
    return canvas


def _handle(canvas: Image.Image, glaze: Color) -> None:
    handle = line(HANDLE, 54)
    paint(canvas, handle, glaze)
    light(canvas, relief(handle, [], full=62, ripple=0), glaze)
    paint(canvas, within(soft("M700 404 C838 364 878 440 864 520", 5, width=9), handle), WHITE, 0.62)
    paint(canvas, within(ramp([(690, 255), (760, 0)]), handle), BLACK, 0.3)


def _mouth(canvas: Image.Image, glaze: Color, inner: Color, top: float) -> None:
    """The rim, the inside, and coffee in it."""
    rim, inside = mask(ellipse(478, top, 226, 58)), mask(ellipse(478, top + 3, 213, 49))
    paint(canvas, rim, glaze.mixed(WHITE, 0.6))
    paint(canvas, within(ramp([(252, 0), (520, 0), (704, 190)]), rim), BLACK, 0.2)
    paint(canvas, inside, inner.mixed(BLACK, 0.08))
    paint(canvas, within(ramp([(262, 255), (440, 90), (690, 0)]), inside), inner.mixed(BLACK, 0.85), 0.5)
    paint(canvas, within(ramp([(top - 46, 200), (top - 6, 0)], vertical=True), inside), inner.mixed(BLACK, 0.85), 0.3)
    coffee = within(mask(ellipse(478, top + 40, 198, 44)), inside)
    paint(canvas, coffee, Color(62, 36, 23))
    paint(canvas, within(line(ellipse(478, top + 40, 194, 41), 9), coffee), Color(148, 98, 58), 0.75)
    paint(canvas, within(soft(ellipse(400, top + 30, 90, 16), 12), coffee), Color(168, 122, 84), 0.6)
    paint(canvas, within(soft(ellipse(580, top + 26, 60, 9), 8), coffee), WHITE, 0.22)
    paint(canvas, within(line(ellipse(478, top - 1, 220, 54), 3), rim), WHITE, 0.6)


def bottle(scene: Scene) -> Image.Image:
    metal = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=720)
    paint(canvas, soft("M520 924 L840 846 L880 880 L580 944", 28), BLACK, 0.24)
    floor_shadow(canvas, ellipse(512, 922, 134, 18), opacity=0.5)
    body = "M376 372 C376 300 442 280 454 232 L570 232 C582 280 648 300 648 372 L648 880 C648 918 606 932 512 932 C418 932 376 918 376 880 L376 372"
    shape = mask(body)
    paint(canvas, shape, metal)
    if art := scene.art(216, 330, metal):
        # What is broad reads better along the bottle than around it.
        if art.width > 1.7 * art.height and (along := scene.art(400, 170, metal)):
            art = along.transpose(Image.Transpose.ROTATE_90)
        print_round(canvas, art, (512, 622), 136, bulge=9)
    _cylinder_light(canvas, shape, 376, 648, gloss=0.5)
    paint(canvas, within(soft("M376 380 C380 310 440 290 456 236", 12, width=26), shape), BLACK, 0.14)
    paint(canvas, within(soft("M420 372 C424 330 462 306 470 262", 8, width=16), shape), WHITE, 0.34)
    base = within(shape, mask(rounded(370, 892, 654, 940, 4)))
    paint(canvas, base, STEEL.mixed(BLACK, 0.12))
    _cylinder_light(canvas, base, 376, 648, gloss=0.8)
    paint(canvas, within(line("M376 892 Q512 912 648 892", 3), shape), BLACK, 0.4)
    collar = mask(rounded(452, 206, 572, 250, 6))
    paint(canvas, collar, STEEL)
    _cylinder_light(canvas, collar, 452, 572, gloss=0.9)
    paint(canvas, line("M456 248 Q512 256 568 248", 3), BLACK, 0.4)
    _lid(canvas, BLACK.mixed(WHITE, 0.1) if metal.luminance > 0.16 else STEEL)
    return canvas


def _lid(canvas: Image.Image, color: Color) -> None:
    loop = line("M462 122 C456 40 568 40 562 122", 22)
    paint(canvas, loop, color.mixed(WHITE, 0.1))
    light(canvas, relief(loop, [], full=46, ripple=0), color)
    lid = mask(rounded(430, 108, 594, 212, 18))
    paint(canvas, lid, color)
    for x in range(440, 592, 10):
        paint(canvas, within(line([(float(x), 126.0), (float(x), 202.0)], 3), lid), BLACK, 0.3)
        paint(canvas, within(line([(x + 3.0, 126.0), (x + 3.0, 202.0)], 2), lid), WHITE, 0.12)
    _cylinder_light(canvas, lid, 430, 594, gloss=0.5)
    paint(canvas, within(soft("M440 113 L584 113", 3, width=5), lid), WHITE, 0.45)


def notebook(scene: Scene) -> Image.Image:
    cover = scene.on(scene.deep)
    canvas = studio(scene.brand, horizon=None)
    angle, centre = -9.0, (512.0, 516.0)

    def placed(outline: Outline) -> Outline:
        return turned(outline, angle, centre)

    pages = mask(placed(rounded(262, 158, 780, 896, 14)))
    lying_shadow(canvas, pages)
    paint(canvas, pages, Color(246, 242, 232))
    for shift in range(0, 16, 4):
        edge = placed([(774.0 - shift, 170.0), (774.0 - shift, 886.0)])
        paint(canvas, line(edge, 1), BLACK, 0.16)
    ribbon = line(placed(outlines("M560 880 C566 910 556 940 566 972")[0]), 16)
    lying_shadow(canvas, ribbon, opacity=0.14)
    paint(canvas, ribbon, scene.brand.mixed(BLACK, 0.2))
    board = mask(placed(rounded(246, 144, 764, 884, 22)))
    paint(canvas, moved(soft(board, 8), 6, 8), BLACK, 0.25)
    paint(canvas, board, cover)
    light(canvas, relief(board, [], full=20, ripple=0.5, seed=9), cover)
    paint(canvas, within(soft(ellipse(360, 260, 260, 240), 120), board), cover.mixed(WHITE, 0.6), 0.3)
    paint(canvas, within(soft(ellipse(760, 860, 260, 260), 120), board), BLACK, 0.24)
    spine = placed([(292.0, 144.0), (292.0, 884.0)])
    paint(canvas, within(soft(spine, 5, width=10), board), BLACK, 0.32)
    paint(
        canvas, within(soft(placed([(305.0, 144.0), (305.0, 884.0)]), 5, width=7), board), cover.mixed(WHITE, 0.6), 0.4
    )
    across, down = turned([(1.0, 0.0)], angle, (0.0, 0.0))[0], turned([(0.0, 1.0)], angle, (0.0, 0.0))[0]
    if art := scene.art(300, 300, cover):
        print_flat(canvas, art, placed([(506.0, 480.0)])[0], across, down)
    band = placed(rounded(702, 140, 722, 888, 4))
    paint(canvas, soft(band, 5), BLACK, 0.3)
    paint(canvas, mask(band), cover.mixed(BLACK, 0.5) if cover.luminance > 0.2 else scene.brand.mixed(WHITE, 0.4))
    return canvas


def box(scene: Scene) -> Image.Image:
    """A carton, its upper face seen a little from above, closed with tape in the brand's color."""
    card = scene.on(KRAFT)
    canvas = studio(scene.brand, horizon=600)
    a, b, c, d = (
        (164.0, 366.0),
        (566.0, 470.0),
        (860.0, 350.0),
        (462.0, 268.0),
    )  # the upper edge: left, near, right, far
    a0, b0, c0 = (180.0, 766.0), (566.0, 896.0), (846.0, 750.0)  # the foot
    paint(canvas, soft([(566.0, 900.0), (846.0, 756.0), (1010.0, 800.0), (760.0, 910.0)], 34), BLACK, 0.3)
    floor_shadow(canvas, [a0, b0, c0, (500.0, 720.0)], opacity=0.5)
    front, side, lid = mask([a, b, b0, a0]), mask([b, c, c0, b0]), mask([a, d, c, b])
    paint(canvas, front, card.mixed(BLACK, 0.04))
    paint(canvas, side, card.mixed(BLACK, 0.3))
    paint(canvas, lid, card.mixed(WHITE, 0.26))
    across: Point = ((b[0] - a[0]) / 402, (b[1] - a[1]) / 402)
    if art := scene.art(292, 250, card):
        print_flat(canvas, art, (372, 634), across, (0.012, 1.0))
    if art := scene.art(150, 120, card):
        print_flat(canvas, art, (708, 640), ((c[0] - b[0]) / 312, (c[1] - b[1]) / 312), (-0.02, 1.0), opacity=0.9)
    _tape(canvas, scene, lid, side)
    paint(canvas, within(front, ramp([(420, 0), (900, 255)], vertical=True)), card.mixed(BLACK, 0.85), 0.26)
    paint(canvas, within(front, ramp([(164, 150), (360, 0)])), WHITE, 0.2)
    paint(canvas, within(side, ramp([(566, 0), (860, 255)])), card.mixed(BLACK, 0.9), 0.22)
    paint(canvas, within(side, ramp([(460, 0), (880, 255)], vertical=True)), BLACK, 0.16)
    paint(canvas, within(lid, ramp([(164, 200), (700, 0)])), WHITE, 0.24)
    _edges(canvas, card, a, b, c, b0)
    return canvas


def _tape(canvas: Image.Image, scene: Scene, lid: Image.Image, side: Image.Image) -> None:
    """Over the seam of the lid, and down the side."""
    paint(canvas, within(line([(313.0, 317.0), (713.0, 410.0)], 2), lid), BLACK, 0.3)
    strip = within(mask([(280.0, 328.0), (346.0, 306.0), (746.0, 396.0), (680.0, 424.0)]), lid)
    hanging = within(mask([(680.0, 423.0), (746.0, 396.0), (744.0, 466.0), (679.0, 494.0)]), side)
    paint(canvas, strip, scene.brand, 0.94)
    paint(canvas, hanging, scene.brand.mixed(BLACK, 0.3), 0.94)
    paint(canvas, within(soft([(300.0, 322.0), (700.0, 414.0)], 6, width=12), strip), WHITE, 0.28)


def _edges(canvas: Image.Image, card: Color, a: Point, b: Point, c: Point, b0: Point) -> None:
    """Cardboard bends around its edges, which catch the light; below the lid is its shadow."""
    for edge, strength in (([a, b], 0.7), ([b, c], 0.45), ([b, b0], 0.4)):
        paint(canvas, soft(edge, 4, width=7), card.mixed(WHITE, 0.6), strength)
    for edge in ([(a[0] + 2, a[1] + 9), (b[0], b[1] + 9)], [(b[0], b[1] + 9), (c[0] - 1, c[1] + 8)]):
        paint(canvas, soft(edge, 5, width=8), card.mixed(BLACK, 0.8), 0.34)
    fold: Outline = [(a[0] + 4, a[1] + 52), (b[0], b[1] + 60)]
    paint(canvas, line(fold, 1.6), BLACK, 0.14)
