"""Logos that live from a picture: icon, geometric abstract, organic, negative space."""

import math

from PIL import Image, ImageChops, ImageDraw

from bmn_sandbox.media.brief import Brief
from bmn_sandbox.media.canvas import Colour, Outline, turned
from bmn_sandbox.media.layouts_type import caption
from bmn_sandbox.media.motifs import draw_motif
from bmn_sandbox.media.sheet import Pen, Sheet, arc, circle, hand, polygon, squircle, wavy


def icon(sheet: Sheet, brief: Brief) -> None:
    """The motif alone, held by a form that the style chooses."""
    palette, motif = brief.palette, brief.motif
    match brief.style:
        case "minimal":
            sheet.ring(345, 9, palette.ink)
            draw_motif(Pen(sheet, scale=2.15), motif, palette.tones, line=4.5)
        case "bold":
            shape = brief.rng.choice((circle(375), polygon(6, 400), squircle(345, 6)))
            Pen(sheet).fill([shape], palette.ink)
            draw_motif(Pen(sheet, scale=2.4), motif, palette.on_ink())
        case "vintage":
            rays = zip(polygon(48, 300), polygon(48, 385), strict=True)
            for index, (start, end) in enumerate(rays):
                sheet.stroke([start, end if index % 2 else arc(350, -90 + index * 7.5, 0)[0]], 7, palette.accent)
            sheet.ring(268, 6, palette.ink)
            sheet.ring(250, 2.5, palette.ink)
            draw_motif(Pen(sheet, scale=1.85), motif, palette.tones)
        case "playful":
            Pen(sheet).fill([wavy(360, 11, 17)], palette.soft)
            draw_motif(
                Pen(sheet, (0, 0), 2.5, brief.rng.choice((-8, 8)), hand(brief.rng, 3)),
                motif,
                (*palette.tones[:2], palette.soft),
            )
            for x, y, r in ((-345, -300, 24), (355, -265, 16), (330, 320, 28), (-320, 335, 13)):
                sheet.disc(r, palette.accent if r > 20 else palette.ink, (x, y))
        case _:
            sheet.disc(330, palette.soft, (48, 48))
            draw_motif(Pen(sheet, scale=3.1), motif, (*palette.tones[:2], palette.soft))


def geometric(sheet: Sheet, brief: Brief) -> None:
    """An abstract sign from simple forms, with the name below."""
    options = (_tiles, _petals, _arcs, _cube, _links)
    named = bool(brief.name)
    part = Sheet(brief.palette.paper)
    brief.rng.choice(options)(part, brief)
    _place_above(sheet, part, 0.72 if named else 1.0, -95 if named else 0)
    caption(sheet, brief, 265, 355, brief.palette.ink, width=600)


def _place_above(sheet: Sheet, part: Sheet, scale: float, y: float) -> None:
    """Copies a whole sheet, made smaller, onto another of the same paper."""
    side = round(part.image.width * scale)
    small = part.image.resize((side, side), Image.Resampling.LANCZOS)
    left = (sheet.image.width - side) // 2
    box = (left, left + round(sheet.pixels(y)))
    mask = (
        ImageChops.difference(small, Image.new("RGB", small.size, tuple(part.paper)))
        .convert("L")
        .point(lambda v: 255 if v else 0)
    )
    sheet.image.paste(small, box, mask)


def _tones(brief: Brief) -> list[Colour]:
    palette = brief.palette
    return [
        palette.ink,
        palette.accent,
        palette.ink.mixed(palette.accent, 0.5),
        palette.accent.mixed(palette.paper, 0.55),
    ]


def _tiles(sheet: Sheet, brief: Brief) -> None:
    """A grid of quarter discs, discs and leaves, as the Bauhaus liked them."""
    tones, size, rng = _tones(brief), 210.0, brief.rng
    shift = rng.randrange(4)
    for index in range(9):
        row, column = divmod(index, 3)
        x, y = (column - 1) * size - size / 2, (row - 1) * size - size / 2
        tone = tones[(index * 2 + shift + row) % 4]
        kind = rng.randrange(4)
        if kind == 0:
            sheet.disc(size / 2 - 1, tone, (x + size / 2, y + size / 2))
            continue
        corners = ((x, y, 0), (x + size, y, 90), (x + size, y + size, 180), (x, y + size, 270))
        cx, cy, start = corners[rng.randrange(4)]
        sheet.polygon([(cx, cy), *arc(size, start, start + 90, (cx, cy))], tone)
        if kind == 3:
            ox, oy = 2 * x + size - cx, 2 * y + size - cy
            sheet.polygon([(ox, oy), *arc(size * 0.42, start + 180, start + 270, (ox, oy))], tones[(index + 1) % 2])


def _petals(sheet: Sheet, brief: Brief) -> None:
    """Translucent petals about a centre; where they overlap, the colours deepen."""
    count = brief.rng.choice((5, 6, 8))
    palette = brief.palette
    for index in range(count):
        tone = palette.ink if index % 2 == 0 else palette.accent
        petal = circle(180, (0, -175), 0.62 if count > 5 else 0.8, 1.0)
        _multiply(sheet, turned(petal, 360 / count * index, (0, 0)), tone.mixed(palette.paper, 0.12))


def _multiply(sheet: Sheet, outline: Outline, colour: Colour) -> None:
    """Lays a translucent colour over what is there; only the outline's own box is touched."""
    points = [sheet.pixel(point) for point in outline]
    xs, ys = [x for x, _y in points], [y for _x, y in points]
    box = (int(min(xs)), int(min(ys)), int(max(xs)) + 2, int(max(ys)) + 2)
    layer = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), (255, 255, 255))
    ImageDraw.Draw(layer).polygon([(x - box[0], y - box[1]) for x, y in points], fill=tuple(colour))
    sheet.image.paste(ImageChops.multiply(sheet.image.crop(box), layer), box)


def _arcs(sheet: Sheet, brief: Brief) -> None:
    """Rings opened towards different sides."""
    tones = _tones(brief)
    start = brief.rng.choice((-90, 0, 90, 180))
    for index, radius in enumerate((320, 245, 170, 95)):
        turn = start + index * brief.rng.choice((45, 90))
        sheet.stroke(arc(radius, turn, turn + 265 - index * 18), 46, tones[index % 2])
    sheet.disc(36, tones[1])


def _cube(sheet: Sheet, brief: Brief) -> None:
    """A hexagon of three sides in three tones, with the same turned round inside."""
    tones = _tones(brief)
    for radius, order in ((350.0, (0, 1, 2)), (170.0, (1, 2, 0))):
        corners = polygon(6, radius)
        for side, tone in enumerate(order):
            a, b, c = (corners[(side * 2 + k) % 6] for k in (0, 1, 2))
            sheet.polygon([(0, 0), a, b, c], tones[tone] if radius > 200 else tones[tone].mixed(sheet.paper, 0.25))


def _links(sheet: Sheet, brief: Brief) -> None:
    """Three rings woven into each other."""
    tones = _tones(brief)
    centres = [(x * 1.0, y * 1.0) for x, y in polygon(3, 150)]
    for centre, tone in zip(centres, tones, strict=False):
        sheet.ring(185, 52, tone, centre)
    # Each ring passes over its neighbour once: a piece of it is drawn again on top.
    for index, centre in enumerate(centres):
        (x, y), (nx, ny) = centre, centres[(index + 1) % 3]
        towards = math.degrees(math.atan2(ny - y, nx - x))
        sheet.stroke(arc(185, towards - 62, towards - 30, centre), 52, tones[index])


def organic(sheet: Sheet, brief: Brief) -> None:
    """A brush circle, the motif in an unsteady line, the name by hand."""
    palette, rng = brief.palette, brief.rng
    middle = (0, -85 if brief.name else 0)
    start = rng.uniform(-150, -60)
    ring = arc(285, start, start + 330, middle)
    shake = hand(rng, 6)
    ring = [shake(point) for point in ring]
    widths = [7 + 24 * math.sin(math.pi * min(1, i / len(ring) * 1.15)) ** 0.8 for i in range(len(ring))]
    sheet.stroke(ring, widths, palette.accent)
    draw_motif(Pen(sheet, middle, 1.65, rng.uniform(-4, 4), hand(rng, 3.5)), brief.motif, palette.tones, line=5.5)
    caption(sheet, brief, 265, 385, palette.ink, width=640)


_CROPPABLE = {
    "cup",
    "bean",
    "leaf",
    "mountain",
    "sun",
    "moon",
    "wave",
    "lotus",
    "flower",
    "heart",
    "flame",
    "drop",
    "pine",
}


def negative(sheet: Sheet, brief: Brief) -> None:
    """Form and ground change places."""
    crop = brief.motif in _CROPPABLE and brief.rng.random() < 0.5
    (_bleed if crop else _counterchange)(sheet, brief)
    caption(sheet, brief, 318, 398, brief.palette.ink, width=600)


def _bleed(sheet: Sheet, brief: Brief) -> None:
    """The motif is cut out of a solid form, so large that the form's edge crops it."""
    palette, up = brief.palette, -60 if brief.name else 0
    inside, form = Sheet(palette.ink), Sheet(Colour(0, 0, 0))
    tilt = brief.rng.choice((-12, 0, 12))
    draw_motif(Pen(inside, (40, up + 40), 3.5, tilt), brief.motif, palette.on_ink())
    shape = squircle(315, 5) if brief.style in ("modern", "bold") else circle(325)
    Pen(form, (0, up)).fill([shape], Colour(255, 255, 255))
    sheet.image.paste(inside.image, (0, 0), form.image.getchannel(0))


def _counterchange(sheet: Sheet, brief: Brief) -> None:
    """A disc of two halves; the motif is dark on the light one and light on the dark one."""
    palette, up = brief.palette, -60 if brief.name else 0
    dark, light = Sheet(palette.paper), Sheet(palette.paper)
    shape = squircle(315, 5) if brief.style in ("modern", "bold") else circle(325)
    Pen(dark, (0, up)).fill([shape], palette.ink)
    Pen(light, (0, up)).fill([shape], palette.soft)
    draw_motif(Pen(dark, (0, up), 2.3), brief.motif, (palette.paper, palette.paper, palette.ink))
    draw_motif(Pen(light, (0, up), 2.3), brief.motif, (palette.ink, palette.ink, palette.soft))
    half = Sheet(Colour(0, 0, 0))
    turn = brief.rng.choice((0, 0, 45, -45, 90))
    side = turned([(0, -900), (900, -900), (900, 900), (0, 900)], turn, (0, 0))
    half.polygon([(x, y + up) for x, y in side], Colour(255, 255, 255))
    sheet.image.paste(dark.image)
    sheet.image.paste(light.image, (0, 0), half.image.getchannel(0))
