"""Things for the head: cap."""

from PIL import Image

from bmn_sandbox.media.canvas import (
    ellipse,
    floor_shadow,
    line,
    mask,
    mirrored,
    moved,
    outlines,
    paint,
    ramp,
    soft,
    studio,
    within,
)
from bmn_sandbox.media.cloth import light, relief, sewn, stitched
from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.placement import print_round
from bmn_sandbox.media.scene import Scene


def cap(scene: Scene) -> Image.Image:
    cloth = scene.on(scene.brand)
    canvas = studio(scene.brand, horizon=640)
    crown = mask(mirrored("M512 266 C416 266 326 314 290 424 C272 484 264 540 262 604 C340 566 430 552 512 552"))
    bill = mirrored("M512 546 C420 546 330 562 260 600 C244 622 246 656 268 682 C316 724 416 738 512 738")
    peak = mask(bill)
    paint(canvas, moved(soft(mask([bill]), 30), 26, 40), BLACK, 0.34)
    floor_shadow(canvas, ellipse(512, 742, 226, 20), opacity=0.5)
    paint(canvas, crown, cloth)
    dome = relief(crown, _CREASES, full=78, ripple=0.7, seed=8)
    if art := scene.art(258, 158, cloth):
        print_round(canvas, art, (512, 424), 300, bulge=-14)
    for panel in ("M498 268 C412 304 352 400 342 572", "M526 268 C612 304 672 400 682 572"):
        sewn(canvas, panel, crown)
    for seam in ("M486 270 C400 312 340 404 330 576", "M510 268 C426 308 364 404 354 568",
                 "M538 270 C624 312 684 404 694 576", "M514 268 C598 308 660 404 670 568"):  # fmt: skip
        stitched(canvas, seam, crown)
    for x in (312, 712):
        paint(canvas, line(ellipse(x, 424, 8, 11), 5), cloth.mixed(BLACK, 0.35))
        paint(canvas, mask(ellipse(x, 424, 5, 7)), BLACK, 0.8)
    light(canvas, dome, cloth)
    paint(canvas, within(soft(ellipse(430, 390, 70, 100), 44), crown), cloth.mixed(WHITE, 0.8), 0.2)
    _bill(canvas, crown, peak, cloth)
    button = mask(ellipse(512, 266, 24, 11))
    paint(canvas, moved(soft(button, 6), 2, 6), BLACK, 0.3)
    paint(canvas, button, cloth.mixed(BLACK, 0.12))
    paint(canvas, soft(ellipse(504, 262, 13, 4), 4), WHITE, 0.3)
    return canvas


def _bill(canvas: Image.Image, crown: Image.Image, peak: Image.Image, cloth: Color) -> None:
    """The bill: a stiff board under cloth, sewn in rows, its front edge bent down."""
    paint(
        canvas,
        within(soft("M262 604 C340 566 430 552 512 552 C594 552 684 566 762 604", 14, width=34), crown),
        BLACK,
        0.5,
    )
    paint(canvas, peak, cloth)
    upper, lower = (outlines(path)[0] for path in (
        "M260 602 C330 562 420 546 512 546 C604 546 694 562 764 602",
        "M262 678 C316 722 416 736 512 736 C608 736 708 722 762 678",
    ))  # fmt: skip
    for share in (0.22, 0.4, 0.58, 0.76):
        row = [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in zip(upper, lower, strict=True)]
        paint(canvas, within(moved(line(row, 2.4, dashes=(8, 4)), 0, 2), peak), WHITE, 0.1)
        paint(canvas, within(line(row, 1.8, dashes=(8, 4)), peak), BLACK, 0.36)
    paint(canvas, within(ramp([(250, 60), (340, 0), (560, 0), (774, 235)]), peak), BLACK, 0.42)
    paint(canvas, within(soft("M330 600 C420 576 540 574 640 590", 26, width=60), peak), cloth.mixed(WHITE, 0.75), 0.34)
    paint(
        canvas,
        within(soft("M262 604 C340 568 430 554 512 554 C594 554 684 568 762 604", 8, width=16), peak),
        BLACK,
        0.45,
    )
    paint(
        canvas,
        within(soft("M262 684 C316 726 416 742 512 742 C608 742 708 726 762 684", 10, width=30), peak),
        BLACK,
        0.4,
    )
    paint(canvas, within(line("M252 640 C262 700 396 732 512 732 C628 732 762 700 772 640", 5), peak),
          cloth.mixed(WHITE, 0.35), 0.5)  # fmt: skip


_CREASES = [("M470 300 C440 360 420 440 420 540", 40, 5.0), ("M560 300 C600 360 620 440 616 540", 36, -4.0)]
