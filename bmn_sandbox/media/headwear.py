"""Things for the head: cap."""

from PIL import Image

from bmn_sandbox.media.canvas import (
    ellipse,
    floor_shadow,
    line,
    mask,
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
from bmn_sandbox.media.placement import print_flat
from bmn_sandbox.media.scene import Scene


def cap(scene: Scene) -> Image.Image:
    """A baseball cap on a table, its front turned a little to the left."""
    cloth, trim = scene.on(scene.brand), scene.second
    canvas = studio(scene.brand, horizon=640)
    crown, bill = mask(_CROWN), mask(_BILL)
    paint(canvas, soft(ellipse(520, 752, 400, 34), 34), BLACK, 0.26)
    floor_shadow(canvas, "M196 746 C330 788 480 784 610 724 C700 712 800 690 842 650 C830 706 700 752 480 790 "
                         "C360 800 220 784 196 746", opacity=0.5)  # fmt: skip
    paint(canvas, moved(soft("M610 694 C700 694 780 676 834 642", 6, width=14), 2, 8), BLACK, 0.5)
    paint(canvas, crown, cloth)
    dome = relief(crown, _CREASES, full=92, ripple=0.7, seed=8)
    for panel in _PANELS:
        sewn(canvas, panel, crown)
    for seam in _SEAMS:
        stitched(canvas, seam, crown)
    if art := scene.art(224, 182, cloth):
        print_flat(canvas, art, _FRONT, (0.9, 0.16), (-0.05, 1.0))
    for x, y in ((590, 372), (716, 384)):
        paint(canvas, line(ellipse(x, y, 9, 10), 5), trim)
        paint(canvas, mask(ellipse(x, y, 5, 6)), BLACK, 0.8)
    light(canvas, dome, cloth)
    paint(canvas, within(ramp([(560, 0), (850, 190)]), crown), BLACK, 0.42)
    paint(
        canvas,
        within(soft("M352 604 C420 660 500 696 610 700 C710 698 780 680 836 650", 8, width=12), crown),
        BLACK,
        0.4,
    )
    _bill(canvas, crown, bill, cloth, trim)
    button = mask(ellipse(614, 283, 22, 10))
    paint(canvas, moved(soft(button, 6), 2, 6), BLACK, 0.3)
    paint(canvas, button, trim)
    paint(canvas, soft(ellipse(608, 280, 11, 3), 4), WHITE, 0.4)
    return canvas


def _bill(canvas: Image.Image, crown: Image.Image, bill: Image.Image, cloth: Color, trim: Color) -> None:
    """The bill: a stiff board under cloth, bent over the forehead, sewn in rows, its edge in a second color."""
    paint(canvas, within(moved(soft(bill, 18), 6, -24), crown), BLACK, 0.42)
    paint(canvas, moved(bill, 0, 9), trim.mixed(BLACK, 0.3))
    paint(canvas, moved(bill, 0, 5), trim)
    paint(canvas, bill, cloth)
    joint, edge = (outlines(path)[0] for path in (_JOINT, _EDGE))
    for share in (0.24, 0.42, 0.6, 0.78, 0.92):
        row = [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in zip(joint, edge, strict=True)]
        paint(canvas, within(moved(line(row, 2.2, dashes=(8, 4)), 0, 2), bill), WHITE, 0.1)
        paint(canvas, within(line(row, 1.7, dashes=(8, 4)), bill), BLACK, 0.34)
    # It is bent: lit on its back, and falling away to its near side.
    paint(canvas, within(soft("M230 640 C300 640 360 668 420 716", 26, width=64), bill), cloth.mixed(WHITE, 0.75), 0.36)
    paint(canvas, within(soft("M250 780 C400 800 520 780 612 706", 26, width=70), bill), BLACK, 0.5)
    paint(canvas, within(soft("M330 566 C250 580 180 630 156 700", 12, width=20), bill), BLACK, 0.3)
    paint(canvas, within(soft(_JOINT, 9, width=18), bill), BLACK, 0.42)
    paint(canvas, within(line(_EDGE, 4), bill), cloth.mixed(WHITE, 0.4), 0.35)


_FRONT = (472.0, 484.0)  # the middle of what is printed on
_CROWN = (
    "M332 584 C322 470 352 372 432 322 C490 288 560 276 620 283 C724 294 802 372 826 500 C834 552 838 604 834 646 "
    "C774 680 700 698 610 700 C500 698 404 652 332 584 Z"
)
# Where the bill is sewn to the crown, and its outer edge, both from the far end to the near one.
_JOINT = "M326 572 C362 612 410 646 462 668 C510 688 560 700 612 702"
_EDGE = "M336 568 C150 584 60 762 226 766 C380 794 530 770 612 702"
_BILL = "M336 568 C150 584 60 762 226 766 C380 794 530 770 612 702 C500 696 400 648 336 586 Z"
_PANELS = (
    "M604 284 C500 322 424 440 430 660",
    "M618 284 C652 380 650 560 628 700",
    "M626 284 C744 330 792 480 780 676",
)
_SEAMS = (
    "M596 284 C490 320 414 440 420 654", "M610 288 C510 326 436 440 442 662", "M608 288 C640 380 638 560 616 700",
    "M628 288 C664 380 662 560 640 698", "M618 286 C734 334 780 480 768 680", "M634 286 C756 332 804 480 792 670",
)  # fmt: skip
_CREASES = [("M560 310 C480 380 450 470 456 620", 44, 4.0), ("M700 330 C740 420 750 540 730 660", 40, -5.0),
            ("M400 380 C372 440 364 500 368 580", 30, -4.0)]  # fmt: skip
