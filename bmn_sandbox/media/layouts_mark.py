"""Logos from a picture and a name: the emblem and the combination mark."""

from bmn_sandbox.media.brief import Brief
from bmn_sandbox.media.canvas import Colour, Point
from bmn_sandbox.media.layouts_type import caption, name_lines, readable_accent
from bmn_sandbox.media.lettering import arc_degrees, fitted, set_line, set_on_circle
from bmn_sandbox.media.motifs import draw_motif
from bmn_sandbox.media.palette import contrast
from bmn_sandbox.media.sheet import Pen, Sheet, arc, circle, hand, polygon, squircle, wavy


def emblem(sheet: Sheet, brief: Brief) -> None:
    """A round badge: the name on a circle about the motif."""
    palette = brief.palette
    edge = {
        "minimal": [(circle(392), palette.paper)],
        "modern": [(circle(392), palette.ink)],
        "bold": [(polygon(12, 408, turn=-75), palette.ink)],
        "vintage": [(wavy(392, 28, 11), palette.ink)],
        "playful": [(wavy(392, 14, 16), palette.ink)],
    }[brief.style]
    for shape, colour in edge:
        Pen(sheet).fill([shape], colour)
    light = brief.style == "minimal"
    tones = palette.tones if light else palette.on_ink()
    ink, accent, _ground = tones
    if light:
        sheet.ring(390, 7, palette.ink)
    else:
        sheet.ring(352, 4, accent if brief.style != "modern" else ink)
    inner = 236
    if brief.style in ("vintage", "playful", "bold"):
        sheet.disc(inner, palette.paper)
        tones = palette.tones
    else:
        sheet.ring(inner, 4, accent)
    draw_motif(Pen(sheet, (0, 0), 1.75), brief.motif, tones, line=brief.line)
    ground = palette.paper if light else palette.ink
    _badge_text(sheet, brief, ink, accent if contrast(accent, ground) >= 2.7 else ink)


def _badge_text(sheet: Sheet, brief: Brief, ink: Colour, accent: Colour) -> None:
    face = brief.small
    name, below = face.cased(brief.name), brief.tagline
    radius, size = 271.0, 52.0
    if name:
        size = min(62.0, size * 205 / max(arc_degrees(face, name, size, radius), 1) if len(name) > 12 else 62.0)
        set_on_circle(sheet, face, name, size, radius + (62 - size) * 0.35, ink, middle=-90)
    reach = arc_degrees(face, name, size, radius) / 2 if name else 0
    low = 0.0
    if below and reach < 100:
        small = min(36.0, size * 0.8)
        small = min(small, small * (150 - 0.4 * reach) / arc_degrees(face, below, small, 310))
        set_on_circle(sheet, face, below, small, 308, accent, middle=90, inside_out=True)
        low = arc_degrees(face, below, small, 308) / 2
    # A star in the middle of each gap between the two texts.
    gap = (reach + (180 - low)) / 2
    for side in (-1, 1):
        x, y = arc(294, -90 + side * gap, -90 + side * gap + 1)[0]
        shape = [[(x + px * 0.17, y + py * 0.17) for px, py in polygon(5, 100, inner=42)]]
        Pen(sheet).fill(shape, accent)


def combination(sheet: Sheet, brief: Brief) -> None:
    """Symbol and name together: side by side where the name is short, else one above the other."""
    palette = brief.palette
    beside = len(brief.name) <= 8 and brief.name != "" and brief.rng.random() < 0.5
    if beside:
        draw_motif(Pen(sheet, (-265, 0), 1.35), brief.motif, palette.tones, line=brief.line)
        line = fitted(brief.display, brief.name, 500, 150)
        set_line(sheet, line, (-95 + line.width / 2, 0), palette.ink)
        return
    held = brief.style in ("modern", "playful", "bold") and brief.rng.random() < 0.6
    centre: Point = (0, -130 if brief.name else 0)
    if held:
        shape = {"modern": squircle(190, 4), "bold": polygon(6, 215), "playful": wavy(195, 10, 12)}[brief.style]
        Pen(sheet, centre).fill([shape], palette.ink)
        draw_motif(Pen(sheet, centre, 1.12), brief.motif, palette.on_ink())
    else:
        wobble = hand(brief.rng, 2.5) if brief.style == "playful" else None
        draw_motif(Pen(sheet, centre, 2.0, wobble=wobble), brief.motif, palette.tones, line=brief.line)
    long = len(name_lines(brief, 20)) > 1
    caption(sheet, brief, 130, 310 if long else 225, palette.ink)
    if brief.tagline and brief.style in ("vintage", "minimal", "modern"):
        y = 362 if long else 300
        set_line(sheet, fitted(brief.small, brief.tagline, 420, 24), (0, y), readable_accent(brief))
