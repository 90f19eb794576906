"""Things to wear: T-shirt, hoodie."""

from PIL import Image

from bmn_sandbox.media.canvas import (
    Outline,
    ellipse,
    line,
    lying_shadow,
    mask,
    mirrored,
    moved,
    outlines,
    paint,
    ramp,
    rounded,
    soft,
    studio,
    within,
    without,
)
from bmn_sandbox.media.cloth import both_sides, light, print_on, relief, sewn, stitched
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.scene import Scene


def tshirt(scene: Scene) -> Image.Image:
    cloth = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=None)
    shape = mask(
        mirrored(
            "M512 172 Q452 170 404 144 C366 168 322 186 286 204 C244 226 214 276 190 336 C166 392 144 442 126 488 "
            "C160 520 206 540 254 548 C272 506 290 468 308 434 C320 520 326 600 324 690 C322 780 314 850 310 906 "
            "C372 926 442 934 512 934"
        )
    )
    lying_shadow(canvas, shape)
    paint(canvas, shape, cloth)
    surface = relief(shape, both_sides(_SHIRT_CREASES), ripple=0.75, seed=12)
    if art := scene.art(318, 290, cloth):
        print_on(canvas, art, (512, 326 + max(art.height, 180) / 2), surface)
    for armhole in ("M292 202 C270 266 278 356 308 434", "M732 202 C754 266 746 356 716 434"):
        sewn(canvas, armhole, shape)
    for hem in (
        "M134 462 C168 490 216 506 266 512",
        "M890 462 C856 490 808 506 758 512",
        "M313 874 C376 893 444 901 512 901 C580 901 648 893 711 874",
    ):
        stitched(canvas, hem, shape)
    light(canvas, surface, cloth)
    _neck(canvas, shape, scene, cloth)
    return canvas


def _neck(canvas: Image.Image, shape: Image.Image, scene: Scene, cloth: Color) -> None:
    """The back of the neck with its label, and the collar around it."""
    inside = mask(mirrored("M512 170 Q452 168 404 143 C420 214 466 246 512 246"))
    paint(canvas, inside, cloth.mixed(BLACK, 0.42))
    paint(
        canvas,
        within(soft("M404 150 C420 214 466 246 512 246 C558 246 604 214 620 150", 16, width=34), inside),
        BLACK,
        0.5,
    )
    back = mask([*outlines("M404 143 Q512 192 620 143")[0], *outlines("M612 166 Q512 216 412 166")[0]])
    paint(canvas, back, cloth.mixed(BLACK, 0.2))
    paint(canvas, within(mask(rounded(490, 196, 534, 222, 3)), inside), WHITE.mixed(scene.brand, 0.12), 0.9)
    collar = mask([*outlines("M384 154 C404 232 460 272 512 272 C564 272 620 232 640 154")[0],
                   *outlines("M620 143 C604 214 558 244 512 244 C466 244 420 214 404 143")[0]])  # fmt: skip
    paint(canvas, soft(collar, 7), BLACK, 0.22)
    paint(canvas, collar, cloth)
    paint(canvas, within(ramp([(384, 0), (512, 40), (640, 150)]), collar), BLACK, 0.34)
    paint(
        canvas,
        within(soft("M398 150 C414 222 464 256 512 257 C560 256 610 222 626 150", 5, width=8), collar),
        cloth.mixed(WHITE, 0.7),
        0.28,
    )
    paint(canvas, line("M404 145 C420 214 466 244 512 244 C558 244 604 214 620 145", 1.6), BLACK, 0.4)
    paint(canvas, line("M385 155 C405 232 461 272 512 272 C563 272 619 232 639 155", 1.4), BLACK, 0.35)
    stitched(canvas, "M378 158 C398 240 458 281 512 281 C566 281 626 240 646 158", shape)


_SHIRT_CREASES = [
    ("M304 436 C332 424 358 400 378 366", 32, 6.0), ("M302 462 C338 456 370 438 396 408", 30, -5.0),
    ("M306 500 C346 500 384 486 416 462", 28, 4.0), ("M306 540 C322 620 326 720 312 810", 44, -6.0),
    ("M336 560 C360 640 362 740 344 830", 50, 5.0), ("M294 216 C322 264 336 320 336 376", 36, 4.0),
    ("M384 916 C398 830 394 740 378 680", 46, -4.5), ("M432 922 C444 850 444 790 434 730", 50, 4.0),
    ("M296 434 C262 412 228 370 210 318", 26, -8.0), ("M288 456 C250 444 212 410 188 368", 26, 7.0),
    ("M276 492 C238 486 196 462 168 430", 22, -5.0), ("M250 230 C222 274 204 322 194 372", 32, 5.0),
    ("M388 196 C398 250 416 286 440 312", 28, 3.0), ("M318 880 C332 850 336 820 334 790", 24, 3.0),
]  # fmt: skip


def hoodie(scene: Scene) -> Image.Image:
    cloth = scene.on(scene.deep)
    canvas = studio(scene.brand, horizon=None)
    body = mirrored(
        "M512 262 C440 262 400 256 372 250 C330 266 290 284 262 306 C222 340 198 420 178 520 C158 620 146 720 138 806 "
        "C132 836 134 868 142 892 C164 904 196 906 218 898 C226 870 230 842 230 816 C246 720 274 600 304 500 "
        "C310 600 308 720 298 822 C298 832 308 836 308 842 C306 866 308 890 312 914 C380 926 450 930 512 930"
    )
    hood = mirrored("M512 78 C436 76 392 112 380 176 C374 216 366 244 354 264 C392 312 450 350 512 356")
    shape = mask(body)
    lying_shadow(canvas, mask([body, hood]))
    paint(canvas, shape, cloth)
    surface = relief(shape, both_sides(_HOODIE_CREASES), full=44, seed=5)
    if art := scene.art(272, 184, cloth):
        print_on(canvas, art, (512, 478 + max(art.height, 130) / 2), surface)
    _ribs(canvas, shape)
    _pocket(canvas, shape)
    for armhole in ("M322 276 C296 330 292 410 304 496", "M702 276 C728 330 732 410 720 496"):
        sewn(canvas, armhole, shape)
    light(canvas, surface, cloth)
    _hood(canvas, shape, mask(hood), cloth)
    _cords(canvas, WHITE.mixed(scene.brand, 0.08) if cloth.luminance < 0.75 else scene.brand.mixed(WHITE, 0.35))
    return canvas


def _ribs(canvas: Image.Image, shape: Image.Image) -> None:
    """Knitted cuffs and hem."""
    areas = mask([
        outlines("M300 838 Q512 862 724 838 L720 930 L304 930 L300 838")[0],
        outlines("M130 808 Q180 826 240 816 L230 910 L130 910 L130 808")[0],
        outlines("M894 808 Q844 826 784 816 L794 910 L894 910 L894 808")[0],
    ])  # fmt: skip
    knit: list[Outline] = [
        [(x, 800.0), (x, 940.0)] for x in (*range(132, 240, 8), *range(300, 730, 8), *range(786, 896, 8))
    ]
    where = within(areas, shape)
    paint(canvas, where, BLACK, 0.1)
    paint(canvas, within(line(knit, 2.6), where), BLACK, 0.26)
    for edge in ("M298 836 Q512 862 726 836", "M136 808 Q180 826 232 816", "M888 808 Q844 826 792 816"):
        sewn(canvas, edge, shape)


def _pocket(canvas: Image.Image, shape: Image.Image) -> None:
    pocket = "M424 668 C408 716 382 756 348 784 L352 848 Q512 862 672 848 L676 784 C642 756 616 716 600 668 L424 668"
    paint(canvas, within(without(soft(pocket, 12), mask(pocket)), shape), BLACK, 0.3)
    paint(canvas, mask(pocket), WHITE, 0.03)
    for opening in ("M424 668 C408 716 382 756 348 784", "M600 668 C616 716 642 756 676 784"):
        paint(canvas, soft(opening, 5, width=10), BLACK, 0.42)
        paint(canvas, line(opening, 2.4), BLACK, 0.4)
    sewn(canvas, "M424 668 L600 668", shape)
    for seam in ("M438 678 C422 724 396 766 362 796", "M586 678 C602 724 628 766 662 796", "M436 680 L588 680"):
        stitched(canvas, seam, shape)


def _hood(canvas: Image.Image, shape: Image.Image, hood: Image.Image, cloth: Color) -> None:
    paint(canvas, within(moved(soft(hood, 16), 6, 16), shape), BLACK, 0.42)
    paint(canvas, hood, cloth)
    opening = mask(mirrored("M512 124 C458 124 428 150 422 200 C418 250 458 306 512 332"))
    surface = relief(without(hood, opening), both_sides(_HOOD_CREASES), full=52, seed=6)
    light(canvas, surface, cloth)
    paint(canvas, opening, cloth.mixed(BLACK, 0.5))
    paint(
        canvas,
        within(soft(mirrored("M512 210 C470 214 440 240 452 280 C470 310 490 320 512 332"), 22), opening),
        BLACK,
        0.55,
    )
    paint(
        canvas, within(soft("M440 190 C456 146 568 146 584 190", 12, width=22), opening), cloth.mixed(WHITE, 0.3), 0.32
    )
    paint(canvas, within(line("M512 124 L512 250", 2), opening), BLACK, 0.3)
    rim = mirrored("M512 124 C458 124 428 150 422 200 C418 250 458 306 512 332")
    paint(canvas, within(line([*rim, rim[0]], 13), hood), cloth.mixed(WHITE, 0.08))
    paint(canvas, within(soft([*rim, rim[0]], 5, width=6), hood), BLACK, 0.3)
    paint(canvas, line([*rim, rim[0]], 2), BLACK, 0.45)
    stitched(canvas, "M512 104 C440 104 408 142 402 202 C402 258 446 320 502 344", hood)
    stitched(canvas, "M512 104 C584 104 616 142 622 202 C622 258 578 320 522 344", hood)
    paint(canvas, within(line("M512 332 L506 356", 2), hood), BLACK, 0.4)
    paint(canvas, line("M354 264 C392 312 450 350 512 356 C574 350 632 312 670 264", 2), BLACK, 0.4)


def _cords(canvas: Image.Image, cord: Color) -> None:
    """Drawstrings: out of their eyelets, down the chest, with metal tips."""
    for path, tip in (
        ("M474 318 C462 350 470 396 464 436", (464, 436)),
        ("M552 318 C566 346 556 384 566 418", (566, 418)),
    ):
        x, y = tip
        whole = f"{path} L{x} {y + 24}"
        paint(canvas, moved(soft(whole, 6, width=12), 5, 6), BLACK, 0.5)
        paint(canvas, mask(ellipse(*outlines(path)[0][0], 9, 9)), Color(150, 150, 154))
        paint(canvas, mask(ellipse(*outlines(path)[0][0], 5, 5)), BLACK, 0.8)
        paint(canvas, line(path, 9), cord.mixed(BLACK, 0.22))
        paint(canvas, moved(line(path, 4), -1, -1), cord.mixed(WHITE, 0.4))
        paint(canvas, line(f"M{x} {y} L{x} {y + 22}", 9), Color(126, 126, 130))
        paint(canvas, line(f"M{x - 2} {y} L{x - 2} {y + 20}", 3), WHITE, 0.6)


_HOODIE_CREASES = [
    ("M304 500 C344 470 380 440 408 396", 32, 9.0),
    ("M302 524 C352 512 396 488 428 450", 30, -9.0),
    ("M306 560 C350 556 396 540 430 508", 26, 6.0),
    ("M308 590 C326 650 330 720 318 800", 36, -9.0),
    ("M332 560 C356 610 364 660 346 740", 32, 7.0),
    ("M330 832 C352 806 390 800 420 812", 22, 8.0),
    ("M318 814 C340 790 376 780 404 786", 18, -7.0),
    ("M440 836 C470 816 500 818 512 826", 20, 6.0),
    ("M290 330 C260 400 236 480 220 560", 34, 8.0),
    ("M262 440 C250 520 226 610 210 690", 30, -8.0),
    ("M274 560 C250 548 214 556 186 580", 20, 9.0),
    ("M264 590 C238 578 206 588 174 616", 20, -9.0),
    ("M252 622 C226 616 200 624 168 650", 18, 8.0),
    ("M246 662 C222 664 196 672 162 700", 18, -6.0),
    ("M236 756 C214 744 184 748 150 764", 18, 8.0),
    ("M234 784 C208 770 180 774 146 790", 16, -8.0),
    ("M232 806 C206 794 176 796 142 808", 16, 7.0),
    ("M340 300 C372 350 400 380 440 400", 26, 5.0),
]
_HOOD_CREASES = [
    ("M392 180 C384 226 386 256 400 292", 22, 7.0), ("M412 130 C392 170 392 226 412 280", 20, -6.0),
    ("M370 262 C404 300 440 326 484 340", 20, 7.0), ("M400 292 C424 318 456 336 492 346", 16, -6.0),
]  # fmt: skip
