"""Things to wear and to carry: T-shirt, hoodie, cap, tote bag."""
# ruff: noqa: E501 - path data reads worse when it is broken

from PIL import Image

from bmn_sandbox.media.canvas import (
    Outline,
    ellipse,
    floor_shadow,
    line,
    lying_shadow,
    mask,
    mirrored,
    outlines,
    paint,
    rounded,
    soft,
    studio,
    within,
    without,
)
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.placement import print_flat, print_round
from bmn_sandbox.media.scene import CREAM, Scene

FLAT = ((1.0, 0.0), (0.0, 1.0))


def _folds(canvas: Image.Image, clip: Image.Image, cloth: Color, *, shades: list[str], lights: list[str]) -> None:
    """Soft creases. Dark cloth shows its lights more, light cloth its shades."""
    dark = cloth.luminance < 0.35
    for crease in shades:
        paint(canvas, within(soft(crease, 13, width=26), clip), BLACK, 0.30 if dark else 0.15)
    for crease in lights:
        paint(
            canvas,
            within(soft(crease, 11, width=20), clip),
            WHITE,
            0.10 if dark else 0.42 if cloth.luminance > 0.75 else 0.13,
        )


def _volume(canvas: Image.Image, clip: Image.Image, cloth: Color, core: Outline) -> None:
    """Darkens cloth toward its outline, so that it looks filled. core: where it is lit fully."""
    rim = within(without(clip, soft(core, 60)), clip)
    paint(canvas, rim, BLACK, 0.42 if cloth.luminance < 0.35 else 0.2)


def _seam(canvas: Image.Image, path: str, clip: Image.Image | None = None) -> None:
    stitched = line(path, 1.6, dashes=(9, 6))
    paint(canvas, within(stitched, clip) if clip else stitched, BLACK, 0.3)


def tshirt(scene: Scene) -> Image.Image:
    cloth = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=None)
    body = mirrored(
        "M512 214 C470 214 436 200 416 170 L372 182 C318 198 262 216 226 250 C184 296 150 376 124 452 "
        "C160 480 206 500 254 508 L302 414 C312 520 310 640 304 760 C300 820 298 850 300 884 C370 900 450 904 512 904"
    )
    shape = mask(body)
    lying_shadow(canvas, shape)
    neck = mask(mirrored("M512 236 C460 236 424 214 410 172 C440 160 470 154 512 154"))
    paint(canvas, neck, cloth.mixed(BLACK, 0.34))
    label = mask(rounded(492, 178, 532, 202, 3))
    paint(canvas, within(label, neck), WHITE.mixed(scene.brand, 0.15))
    shape = without(shape, neck)
    paint(canvas, shape, cloth)
    _volume(canvas, shape, cloth, mirrored("M512 250 L400 240 L262 300 L200 420 L330 400 L346 850 L512 860"))
    if art := scene.art(290, 250, cloth):
        print_flat(canvas, art, (512, 420), *FLAT)
    _folds(
        canvas,
        shape,
        cloth,
        shades=[
            "M300 420 C320 500 330 560 372 640", "M724 420 C704 500 694 560 652 640", "M318 880 C350 780 344 700 330 640",
            "M706 880 C676 790 690 720 700 660", "M420 900 C440 820 436 780 420 720", "M600 902 C590 830 600 770 620 720",
            "M236 470 C250 420 290 350 330 310", "M788 470 C774 420 734 350 694 310",
        ],
        lights=[
            "M330 440 C350 520 366 580 400 650", "M690 470 C676 540 660 590 620 660", "M370 880 C384 800 380 760 366 700",
            "M200 440 C220 390 260 330 300 290", "M840 440 C816 380 780 320 736 290", "M540 890 C530 830 536 800 546 760",
        ],
    )  # fmt: skip
    collar = "M400 176 C416 222 460 250 512 250 C564 250 608 222 624 176"
    paint(canvas, line(collar, 22), cloth.mixed(BLACK, 0.05))
    paint(canvas, line("M390 180 C408 232 456 262 512 262 C568 262 616 232 634 180", 2), BLACK, 0.22)
    paint(canvas, line("M412 172 C428 212 466 238 512 238 C558 238 596 212 612 172", 1.6), BLACK, 0.28)
    for side in ("M302 414 C292 350 300 300 330 236", "M722 414 C732 350 724 300 694 236"):
        paint(canvas, line(side, 2), BLACK, 0.18)
    for hem in ("M132 436 C166 464 210 482 262 492", "M892 436 C858 464 814 482 762 492", "M302 864 Q512 898 722 864"):
        _seam(canvas, hem, shape)
    return canvas


def hoodie(scene: Scene) -> Image.Image:
    cloth = scene.on(scene.deep)
    canvas = studio(scene.brand, horizon=None)
    body = mirrored(
        "M512 196 C440 196 400 206 372 224 C310 240 262 262 238 306 C190 420 150 600 124 790 C152 812 190 822 228 822 "
        "C246 720 268 610 300 520 C306 640 300 740 294 850 L298 908 C370 922 440 924 512 924"
    )
    hood = mirrored("M512 92 C440 92 398 120 378 176 C366 214 372 256 400 296 C436 330 474 344 512 348")
    shape = mask([body, hood])
    lying_shadow(canvas, shape)
    paint(canvas, shape, cloth)
    _volume(
        canvas,
        shape,
        cloth,
        mirrored("M512 140 L420 160 L300 290 L200 640 L180 780 L300 480 L350 520 L346 880 L512 890"),
    )
    opening = mask(mirrored("M512 128 C454 130 424 152 416 192 C410 236 452 298 512 318"))
    paint(canvas, opening, cloth.mixed(BLACK, 0.42))
    paint(
        canvas,
        within(soft(mirrored("M512 236 C470 236 450 250 440 262 C460 300 480 316 512 330"), 18), opening),
        BLACK,
        0.35,
    )
    paint(canvas, within(soft("M428 170 C460 140 564 140 596 170", 10, width=24), opening), WHITE, 0.16)
    if art := scene.art(270, 190, cloth):
        print_flat(canvas, art, (512, 544), *FLAT)
    _folds(
        canvas,
        shape,
        cloth,
        shades=[
            "M300 520 C320 580 330 620 366 660", "M724 520 C704 580 694 620 658 660", "M250 420 C262 500 240 600 214 690",
            "M774 420 C762 500 784 600 810 690", "M330 900 C346 850 340 820 330 780", "M694 900 C680 850 686 820 696 780",
            "M400 306 C430 350 470 366 512 372 C556 366 596 350 624 306", "M390 190 C392 240 410 280 440 308",
            "M634 190 C632 240 614 280 584 308",
        ],
        lights=[
            "M276 330 C256 420 220 560 190 700", "M748 330 C772 430 800 560 834 690", "M340 560 C360 620 380 650 400 670",
            "M680 560 C664 620 646 650 624 670", "M400 160 C390 190 392 220 398 250", "M470 106 C500 102 530 102 556 108",
        ],
    )  # fmt: skip
    pocket = mirrored("M512 690 L404 690 C384 740 352 780 346 800 L346 876 L512 880")
    paint(canvas, within(soft(pocket, 12), shape), BLACK, 0.16)
    paint(canvas, mask(pocket), cloth.mixed(WHITE, 0.03))
    paint(canvas, line([*pocket, pocket[0]], 2), BLACK, 0.22)
    _seam(canvas, "M414 700 C396 744 364 784 356 804")
    _seam(canvas, "M610 700 C628 744 660 784 668 804")
    for rib in ("M298 880 Q512 908 726 880", "M128 770 C156 792 190 800 232 802", "M896 770 C868 792 834 800 792 802"):
        paint(canvas, within(line(rib, 2.4), shape), BLACK, 0.28)
    cord = WHITE.mixed(scene.brand, 0.08) if cloth.luminance < 0.75 else scene.brand.mixed(WHITE, 0.35)
    for string in ("M470 312 C462 350 468 390 462 424", "M554 312 C564 346 556 380 564 412"):
        paint(canvas, line(string, 11), BLACK, 0.2)
        paint(canvas, line(string, 8), cord)
    for x, y in ((462, 432), (564, 420)):
        paint(canvas, line(f"M{x} {y - 14} L{x} {y + 6}", 10), cord.mixed(BLACK, 0.3))
    return canvas


def cap(scene: Scene) -> Image.Image:
    cloth = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=690)
    floor_shadow(canvas, ellipse(512, 800, 300, 34))
    dome = (
        "M214 668 C206 440 320 262 512 258 C704 262 818 440 810 668 C720 630 610 612 512 612 C414 612 304 630 214 668"
    )
    shape = mask(dome)
    paint(canvas, shape, cloth)
    core = outlines("M330 620 C330 440 400 330 500 318 C600 322 650 420 660 610 Q500 580 330 620")[0]
    _volume(canvas, shape, cloth, core)
    paint(canvas, within(soft(ellipse(440, 400, 90, 110), 50), shape), WHITE, 0.10 if cloth.luminance < 0.35 else 0.5)
    for panel in ("M512 262 C396 300 330 440 322 640", "M512 262 C628 300 694 440 702 640"):
        paint(canvas, within(soft(panel, 7, width=12), shape), BLACK, 0.2)
        paint(canvas, line(panel, 2), BLACK, 0.32)
    for stitch in ("M498 268 C384 306 318 444 310 640", "M526 268 C640 306 706 444 714 640"):
        _seam(canvas, stitch, shape)
    for x, y in ((292, 452), (732, 452)):
        paint(canvas, mask(ellipse(x, y, 11, 13)), cloth.mixed(BLACK, 0.25))
        paint(canvas, mask(ellipse(x, y, 5, 6)), BLACK, 0.75)
    paint(canvas, mask(ellipse(512, 258, 30, 15)), cloth.mixed(BLACK, 0.14))
    paint(canvas, mask(ellipse(508, 254, 20, 8)), WHITE, 0.2)
    if art := scene.art(300, 216, cloth):
        print_round(canvas, art, (512, 492), 330, bulge=-16)
    peak = mask("M206 662 C310 616 414 604 512 604 C610 604 714 616 818 662 C852 716 838 752 812 778 "
                "C742 806 640 822 512 822 C384 822 282 806 212 778 C186 752 172 716 206 662")  # fmt: skip
    paint(canvas, within(soft("M214 658 C320 616 704 616 810 658", 12, width=30), shape), BLACK, 0.3)
    brim_color = scene.brand if cloth == WHITE else cloth
    paint(canvas, peak, brim_color)
    paint(
        canvas,
        within(soft("M206 780 C300 812 420 826 512 826 C604 826 724 812 818 780", 24, width=56), peak),
        BLACK,
        0.36,
    )
    paint(canvas, within(soft("M190 720 C190 690 210 670 240 656", 20, width=40), peak), BLACK, 0.25)
    paint(canvas, within(soft("M834 720 C834 690 814 670 784 656", 20, width=40), peak), BLACK, 0.3)
    paint(canvas, within(soft("M300 672 C400 640 560 634 680 656", 22, width=34), peak), WHITE, 0.26)
    for lift in (18, 36, 54, 72):
        _seam(canvas, f"M{204 + lift / 3} {772 - lift} C{290 - lift / 8} {804 - lift} 420 {818 - lift} 512 {818 - lift} "
                      f"C604 {818 - lift} {734 + lift / 8} {804 - lift} {820 - lift / 3} {772 - lift}", peak)  # fmt: skip
    paint(canvas, within(line("M206 664 C310 618 414 606 512 606 C610 606 714 618 818 664", 3), peak), BLACK, 0.3)
    return canvas


def tote(scene: Scene) -> Image.Image:
    cloth = scene.on(CREAM)
    canvas = studio(scene.brand, horizon=None)
    back = "M372 362 C372 120 428 84 512 84 C596 84 652 120 652 362"
    lying_shadow(canvas, line(back, 34), opacity=0.22)
    paint(canvas, line(back, 34), cloth.mixed(BLACK, 0.22))
    body = (
        "M256 342 C400 332 624 332 768 342 C776 520 792 740 800 906 C640 926 384 926 224 906 C232 740 248 520 256 342"
    )
    shape = mask(body)
    lying_shadow(canvas, shape)
    paint(canvas, shape, cloth)
    _volume(canvas, shape, cloth, outlines("M320 390 L704 390 L730 840 L294 840")[0])
    if art := scene.art(350, 330, cloth):
        print_flat(canvas, art, (512, 620), *FLAT)
    _folds(
        canvas,
        shape,
        cloth,
        shades=[
            "M380 400 C372 460 340 540 300 600", "M644 400 C656 460 690 540 726 590", "M300 900 C330 820 320 760 300 700",
            "M724 900 C700 830 712 760 730 710", "M430 916 C450 880 520 872 560 914",
        ],
        lights=["M410 410 C404 470 380 540 340 620", "M610 400 C622 460 650 520 690 570", "M350 900 C366 850 364 800 350 760"],
    )  # fmt: skip
    paint(canvas, within(line("M254 384 C400 374 624 374 770 384", 2), shape), BLACK, 0.22)
    _seam(canvas, "M256 376 C400 366 624 366 768 376", shape)
    paint(canvas, within(soft("M256 346 C400 336 624 336 768 346", 6, width=12), shape), WHITE, 0.4)
    front = "M360 396 L360 330 C360 130 420 112 512 112 C604 112 664 130 664 330 L664 396"
    paint(canvas, soft(line(front, 34), 8), BLACK, 0.2)
    paint(canvas, line(front, 34), cloth.mixed(WHITE, 0.1))
    paint(
        canvas,
        line("M348 396 L348 326 C350 126 414 100 512 100 C610 100 674 126 676 326 L676 396", 1.6, dashes=(8, 6)),
        BLACK,
        0.25,
    )
    for x in (360, 664):
        patch = f"M{x - 12} 358 L{x + 12} 358 L{x - 12} 396 L{x + 12} 396 L{x - 12} 358"
        paint(canvas, line(patch, 1.8), BLACK, 0.3)
    return canvas
