"""Things for the table: mug, bottle, notebook, box, carrier bag, poster, stickers."""
# ruff: noqa: E501 - path data reads worse when it is broken

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bmn_sandbox.media.canvas import (
    SIZE,
    Outline,
    Point,
    beside,
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
    without,
)
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.inks import printed
from bmn_sandbox.media.placement import Logo, print_flat, print_round
from bmn_sandbox.media.scene import KRAFT, STEEL, Scene


def _cylinder_light(canvas: Image.Image, clip: Image.Image, left: float, right: float, *, gloss: float) -> None:
    """Light from the left on something round: a dark rim, a highlight, a body shadow and its reflection."""
    width = right - left

    def at(*stops: tuple[float, int]) -> Image.Image:
        return within(ramp([(left + share * width, value) for share, value in stops]), clip)

    paint(canvas, at((0, 190), (0.16, 40), (0.3, 0), (0.52, 0), (0.82, 190), (0.94, 235), (1, 150)), BLACK, 0.3)
    paint(canvas, at((0.03, 0), (0.09, 255), (0.13, 255), (0.22, 0)), WHITE, gloss)
    paint(canvas, at((0.9, 0), (0.95, 180), (1, 60)), WHITE, gloss * 0.5)


def mug(scene: Scene) -> Image.Image:
    glaze = scene.on(scene.second, scene.brand)
    canvas = studio(scene.brand, horizon=640)
    floor_shadow(canvas, ellipse(500, 830, 250, 40))
    paint(canvas, soft("M520 820 L860 780 L900 830 L560 862", 30), BLACK, 0.18)
    handle = line("M690 420 C850 372 884 470 852 574 C830 650 760 700 682 706", 56)
    paint(canvas, handle, glaze.mixed(BLACK, 0.1))
    paint(
        canvas,
        within(soft("M690 436 C836 400 856 480 828 566 C806 636 750 680 682 688", 10, width=18), handle),
        BLACK,
        0.28,
    )
    paint(canvas, within(soft("M700 402 C850 362 884 440 872 520", 6, width=12), handle), WHITE, 0.55)
    left, right, top, bottom = 252.0, 704.0, 316.0, 812.0
    body = (
        f"M{left} {top} C{left} 480 {left + 4} 660 {left + 12} {bottom - 46} C{left + 30} {bottom + 18} 370 {bottom + 34} 478 {bottom + 34} "
        f"C586 {bottom + 34} {right - 30} {bottom + 18} {right - 12} {bottom - 46} C{right - 4} 660 {right} 480 {right} {top}"
    )
    shape = mask([outlines(body)[0], ellipse(478, top, 226, 58)])
    paint(canvas, shape, glaze)
    if art := scene.art(300, 270, glaze):
        print_round(canvas, art, (478, 590), 226, bulge=34)
    _cylinder_light(canvas, shape, left, right, gloss=0.5 if glaze.luminance > 0.5 else 0.3)
    paint(
        canvas,
        within(soft(f"M{left} {bottom + 10} Q478 {bottom + 74} {right} {bottom + 10}", 18, width=40), shape),
        BLACK,
        0.25,
    )
    rim, inside = mask(ellipse(478, top, 226, 58)), mask(ellipse(478, top + 3, 212, 48))
    paint(canvas, rim, glaze.mixed(WHITE, 0.55))
    inner = glaze.mixed(WHITE, 0.2) if scene.plain or glaze.luminance > 0.7 else WHITE
    paint(canvas, inside, inner.mixed(BLACK, 0.08))
    paint(canvas, within(ramp([(262, 230), (420, 90), (690, 0)]), inside), BLACK, 0.36)
    coffee = within(mask(ellipse(478, top + 40, 196, 44)), inside)
    paint(canvas, coffee, Color(74, 44, 28))
    paint(canvas, within(soft(ellipse(550, top + 30, 90, 14), 10), coffee), Color(160, 108, 70), 0.7)
    for shift, lift in ((430, 0), (500, 26)):
        steam = f"M{shift} {250 - lift} C{shift - 50} {200 - lift} {shift + 50} {150 - lift} {shift} {90 - lift}"
        paint(canvas, soft(steam, 14, width=20), WHITE, 0.55)
    return canvas


def bottle(scene: Scene) -> Image.Image:
    metal = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=720)
    floor_shadow(canvas, ellipse(516, 918, 140, 26))
    paint(canvas, soft("M520 900 L820 850 L850 884 L560 934", 26), BLACK, 0.18)
    body = "M386 352 C386 292 440 270 452 236 L572 236 C584 270 638 292 638 352 L638 868 C638 912 600 926 512 926 C424 926 386 912 386 868 L386 352"
    shape = mask(body)
    paint(canvas, shape, metal)
    if art := scene.art(206, 330, metal):
        print_round(canvas, art, (512, 606), 126, bulge=10)
    _cylinder_light(canvas, shape, 386, 638, gloss=0.6)
    paint(canvas, within(soft("M386 356 Q512 300 638 356", 14, width=20), shape), BLACK, 0.12)
    base = within(shape, mask(rounded(380, 884, 644, 930, 4)))
    paint(canvas, base, STEEL.mixed(BLACK, 0.1))
    _cylinder_light(canvas, base, 386, 638, gloss=0.7)
    collar, lid = mask(rounded(456, 208, 568, 246, 6)), mask(rounded(434, 108, 590, 214, 16))
    paint(canvas, collar, STEEL)
    _cylinder_light(canvas, collar, 456, 568, gloss=0.8)
    lid_color = BLACK.mixed(WHITE, 0.08) if metal.luminance > 0.3 else STEEL
    loop = line("M470 116 C466 52 558 52 554 116", 20)
    paint(canvas, loop, lid_color.mixed(WHITE, 0.12))
    paint(canvas, lid, lid_color)
    for x in range(446, 590, 12):
        paint(canvas, within(line(f"M{x} 124 L{x} 204", 3), lid), WHITE, 0.09)
    _cylinder_light(canvas, lid, 434, 590, gloss=0.4)
    return canvas


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
    paint(canvas, within(soft(ellipse(360, 260, 260, 240), 120), board), WHITE, 0.22)
    paint(canvas, within(soft(ellipse(760, 860, 260, 260), 120), board), BLACK, 0.2)
    spine = placed([(292.0, 144.0), (292.0, 884.0)])
    paint(canvas, within(soft(spine, 5, width=10), board), BLACK, 0.32)
    paint(canvas, within(soft(placed([(304.0, 144.0), (304.0, 884.0)]), 4, width=6), board), WHITE, 0.25)
    across, down = turned([(1.0, 0.0)], angle, (0.0, 0.0))[0], turned([(0.0, 1.0)], angle, (0.0, 0.0))[0]
    if art := scene.art(300, 300, cover):
        print_flat(canvas, art, placed([(506.0, 480.0)])[0], across, down)
    band = placed(rounded(702, 140, 722, 888, 4))
    paint(canvas, soft(band, 5), BLACK, 0.3)
    paint(canvas, mask(band), cover.mixed(BLACK, 0.5) if cover.luminance > 0.2 else scene.brand.mixed(WHITE, 0.4))
    return canvas


def box(scene: Scene) -> Image.Image:
    card = scene.on(KRAFT)
    canvas = studio(scene.brand, horizon=600)
    floor_shadow(canvas, [(150.0, 770.0), (560.0, 930.0), (880.0, 770.0), (700.0, 700.0)], opacity=0.3)
    a, b, c = (176.0, 372.0), (566.0, 468.0), (846.0, 356.0)  # top edge: left, near corner, right
    d = (456.0, 272.0)  # far corner
    low = 400.0
    front: Outline = [a, b, (b[0], b[1] + low + 16), (a[0] + 12, a[1] + low - 4)]
    side: Outline = [b, c, (c[0] - 10, c[1] + low - 8), (b[0], b[1] + low + 16)]
    lid: Outline = [a, d, c, b]
    for face, shade in ((front, 0.0), (side, 0.2)):
        paint(canvas, mask(face), card.mixed(BLACK, shade))
    paint(canvas, mask(lid), card.mixed(WHITE, 0.3))
    across: Point = ((b[0] - a[0]) / 402, (b[1] - a[1]) / 402)
    if art := scene.art(290, 260, card):
        print_flat(canvas, art, (374, 628), across, (0.012, 1.0))
    if art := scene.art(150, 120, card):
        step: Point = ((c[0] - b[0]) / 302, (c[1] - b[1]) / 302)
        print_flat(canvas, art, (704, 620), step, (-0.01, 1.0), opacity=0.8)
    paint(canvas, within(soft(front, 40), mask(front), ramp([(420, 0), (880, 255)], vertical=True)), BLACK, 0.16)
    paint(canvas, within(mask(side), ramp([(566, 60), (846, 200)])), BLACK, 0.16)
    flap: Outline = [(a[0] + 2, a[1]), b, (b[0], b[1] + 52), (a[0] + 4, a[1] + 48)]
    paint(canvas, within(soft(flap, 8), mask(front)), BLACK, 0.10)
    paint(canvas, line([(a[0] + 4, a[1] + 48), (b[0], b[1] + 52)], 2), BLACK, 0.25)
    paint(canvas, line([b, (c[0] - 2, c[1])], 2), WHITE, 0.5)
    paint(canvas, line([a, b], 2.4), WHITE, 0.6)
    paint(canvas, line([b, (b[0], b[1] + low + 14)], 2), WHITE, 0.28)
    seal: Outline = [(338.0, 306.0), (400.0, 286.0), (780.0, 382.0), (716.0, 408.0)]
    paint(canvas, within(mask(seal), mask(lid)), scene.brand, 0.85)
    return canvas


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


def poster(scene: Scene) -> Image.Image:
    sheet = scene.on(scene.brand.mixed(WHITE, 0.86))
    canvas = studio(scene.brand, horizon=850)
    frame, mat, picture = rounded(252, 96, 772, 820, 6), rounded(274, 118, 750, 798, 2), rounded(316, 160, 708, 756, 1)
    lying_shadow(canvas, mask(frame), opacity=0.36)
    paint(canvas, mask(frame), Color(52, 44, 40))
    paint(canvas, line([(254.0, 98.0), (770.0, 98.0)], 4), WHITE, 0.25)
    paint(canvas, mask(mat), Color(250, 249, 246))
    paint(canvas, within(soft("M274 118 L750 118", 6, width=12), mask(mat)), BLACK, 0.3)
    paint(canvas, within(soft("M274 118 L274 798", 6, width=10), mask(mat)), BLACK, 0.18)
    inside = mask(picture)
    paint(canvas, inside, sheet)
    accent = next((c for c in (*scene.palette, BLACK) if c != sheet), BLACK)
    paint(canvas, within(mask(ellipse(708, 756, 150, 150)), inside), accent, 0.9)
    paint(canvas, within(mask(ellipse(316, 160, 96, 96)), inside), accent.mixed(sheet, 0.55), 0.9)
    if art := scene.art(260, 260, sheet):
        print_flat(canvas, art, (512, 420), (1.0, 0.0), (0.0, 1.0))
    ink = BLACK if sheet.luminance > 0.4 else WHITE
    for row, width in enumerate((120, 84)):
        paint(canvas, mask(rounded(348, 672 + row * 22, 348 + width, 680 + row * 22, 4)), ink, 0.55)
    glass = mask(mat)
    for shine in ("M300 798 L560 118 L640 118 L380 798", "M430 798 L690 118 L712 118 L452 798"):
        paint(canvas, within(mask(shine), glass), WHITE, 0.09)
    with beside(canvas):
        _plant(canvas)
    return canvas


def _plant(canvas: Image.Image) -> None:
    floor_shadow(canvas, ellipse(868, 946, 76, 14), opacity=0.3)
    for leaf in ("M868 830 C800 760 806 660 838 610 C872 680 882 760 868 830", "M870 830 C880 750 926 700 968 690 C966 760 926 816 870 830",
                 "M866 830 C846 770 800 740 764 738 C776 796 816 826 866 830"):  # fmt: skip
        paint(canvas, mask(leaf), Color(78, 120, 88))
        paint(canvas, within(soft(leaf, 14), mask(leaf)), Color(40, 82, 62), 0.5)
    pot = mask("M806 824 L930 824 L914 944 Q868 956 822 944 L806 824")
    paint(canvas, pot, Color(236, 228, 218))
    paint(canvas, within(ramp([(830, 0), (930, 220)]), pot), BLACK, 0.3)


def stickers(scene: Scene) -> Image.Image:
    canvas = studio(scene.brand, horizon=None)
    if scene.logo is None:
        blank = mask(ellipse(512, 512, 260, 260))
        lying_shadow(canvas, blank)
        paint(canvas, blank, WHITE)
        return canvas
    for centre, angle, size in (((288, 290), -16.0, 280), ((742, 762), 13.0, 300), ((520, 520), -4.0, 540)):
        _die_cut(canvas, scene.logo, scene.on(WHITE), centre, angle, size)
    return canvas


def _die_cut(canvas: Image.Image, logo: Logo, vinyl: Color, centre: Point, angle: float, size: float) -> None:
    """A sticker cut along the logo's own outline, with a rim of vinyl."""
    art = printed(logo, vinyl).copy()
    art.thumbnail((round(size), round(size)), Image.Resampling.LANCZOS)
    layer = Image.new("RGBA", (SIZE, SIZE))
    layer.paste(art, (round(centre[0] - art.width / 2), round(centre[1] - art.height / 2)))
    layer = layer.rotate(-angle, Image.Resampling.BICUBIC, center=centre)
    rim = 26 * size / 540 + 8
    grown = soft(layer.getchannel("A"), rim).point([0] * 26 + [255] * 230)
    cut = grown.filter(ImageFilter.GaussianBlur(4)).point([min(255, max(0, (v - 108) * 9)) for v in range(256)])
    cut = ImageChops.lighter(cut, _without_holes(cut))
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


def _without_holes(cut: Image.Image) -> Image.Image:
    """The shape with everything inside its outer edge filled: stickers have no holes."""
    small = cut.reduce(8).point([0] * 128 + [255] * 128)
    ImageDraw.floodfill(small, (0, 0), 128)
    filled = small.point([255 if value != 128 else 0 for value in range(256)]).filter(ImageFilter.MinFilter(3))
    return filled.resize(cut.size, Image.Resampling.BICUBIC)
