"""Logos from a picture and a name: the combination mark and the emblem."""

from collections.abc import Callable

from bmn_sandbox.media.art import ON_INK, Art
from bmn_sandbox.media.faces import CONNECTED
from bmn_sandbox.media.lettering import arc_degrees, on_circle, set_line
from bmn_sandbox.media.logo import frames, labels, motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.marks import icon, motif_art
from bmn_sandbox.media.logo.typeset import block, color_roles
from bmn_sandbox.media.shapes import arc, circle, hollow, polygon, rectangle, ring, rounded, scaled

_RIGHT_TO_LEFT = ("Arabic", "Hebrew")


# -- combination --


def combination(brief: Brief) -> Art:
    """Symbol and name together."""
    if not brief.name:
        return icon(brief)
    long = len(brief.name) > 16
    options: list[Callable[[Brief], Art]] = [_stacked, _stacked, _divided]
    options += [labels.initial_first] if brief.initials and brief.script not in CONNECTED else []
    options += [_boxed] if brief.style in ("bold", "modern", "playful") else [_ruled_stack]
    options += [_beside_small] if long else [_beside, labels.parted_label]
    return brief.rng.choice(options)(brief)


def _mark(brief: Brief, side: float) -> Art:
    """The motif, bare or in a frame."""
    if brief.rng.random() < 0.45:
        return motif_art(brief).fitted(side, side)
    frame = frames.frame(brief.style, 380, brief.rng, brief.forms)
    return frame.holding(motif_art(brief, on_ink=frame.solid)).fitted(side, side)


def _tagline(brief: Brief, width: float, at: tuple[float, float]) -> Art:
    if not brief.tagline or brief.style in ("bold", "playful") or brief.rng.random() < 0.4:
        return Art()
    return set_line(brief.small, brief.tagline, 24).art("voice").fitted(width, 26, at)


def _stacked(brief: Brief) -> Art:
    """One above the other."""
    name = block(brief.display, brief.words, 800, 270, most_lines=3)
    mark = _mark(brief, 400)
    half = (mark.height + 70 + name.height) / 2
    art = mark.placed((0, -half + mark.height / 2)).add(
        name.art(color_roles(brief.rng, len(name.lines))).placed((0, half - name.height / 2))
    )
    return art.add(_tagline(brief, 460, (0, half + 62)))


def _ruled_stack(brief: Brief) -> Art:
    """One above the other, a fine rule or a star between them."""
    name = block(brief.display, brief.words, 780, 230, most_lines=2)
    mark = _mark(brief, 380)
    y = 90.0
    art = mark.placed((0, y - 60 - mark.height / 2)).add(name.art().placed((0, y + 60 + name.height / 2)))
    half = min(name.width / 2, 210)
    for side in (-1.0, 1.0):
        art.stroke("voice", [(side * 34, y), (side * half, y)], 4)
    return art.fill("voice", scaled([(px, py + y * 5) for px, py in polygon(4, 100, inner=34)], 0.2))


def _beside(brief: Brief) -> Art:
    """Side by side, the symbol where reading begins."""
    side = 1 if brief.script in _RIGHT_TO_LEFT else -1
    name = block(brief.display, brief.words, 560, 250, most_lines=2, align="right" if side > 0 else "left")
    mark = _mark(brief, min(300, max(name.height * 1.5, 210)))
    total = mark.width + 50 + name.width
    return mark.placed((side * (total - mark.width) / 2, 0)).add(
        name.art(color_roles(brief.rng, len(name.lines))).placed((-side * (total - name.width) / 2, 0))
    )


def _beside_small(brief: Brief) -> Art:
    """A long name on several lines, the symbol beside them as tall as they are."""
    side = 1 if brief.script in _RIGHT_TO_LEFT else -1
    name = block(brief.display, brief.words, 540, 420, most_lines=4, align="right" if side > 0 else "left")
    mark = _mark(brief, min(name.height, 300))
    total = mark.width + 48 + name.width
    return mark.placed((side * (total - mark.width) / 2, 0)).add(
        name.art().placed((-side * (total - name.width) / 2, 0))
    )


def _divided(brief: Brief) -> Art:
    """Side by side with a rule between them."""
    side = 1 if brief.script in _RIGHT_TO_LEFT else -1
    name = block(brief.display, brief.words, 500, 330, most_lines=3, align="right" if side > 0 else "left")
    mark = motif_art(brief).fitted(250, 250)
    total = mark.width + 90 + name.width
    x = side * (total / 2 - mark.width - 45)
    tall = max(name.height, 210) / 2
    return (
        mark.placed((side * (total - mark.width) / 2, 0))
        .stroke("voice", [(x, -tall), (x, tall)], 6)
        .add(name.art().placed((-side * (total - name.width) / 2, 0)))
    )


def _boxed(brief: Brief) -> Art:
    """Both on one block of ink, or the symbol on a tile above a bar with the name."""
    name = block(brief.display, brief.words, 560, 190, most_lines=2)
    mark = motif_art(brief, on_ink=True).fitted(270, 270)
    air = brief.rng.choice((96, 116, 136))
    x, y = max(name.width, 330) / 2 + air + 6, (mark.height + 64 + name.height) / 2 + air
    x, y = brief.rng.choice(((x, y), (max(x, y), max(x, y))))
    round_ = brief.rng.choice({"playful": (110.0, 200.0), "modern": (60.0, 0.0, 140.0)}.get(brief.style, (0.0, 26.0)))
    half = (mark.height + 64 + name.height) / 2
    above = -1 if brief.rng.random() < 0.8 else 1
    inside = mark.placed((0, above * (half - mark.height / 2))).add(
        name.art().placed((0, -above * (half - name.height / 2)))
    )
    art = Art().fill("ink", rounded(-x, -y, x, y, round_))
    if brief.rng.random() < 0.3:
        art.fill("bright", hollow(rounded(-x + 26, -y + 26, x - 26, y - 26, max(0.0, round_ - 26)), 5))
    return art.add(inside.recolored(ON_INK))


# -- emblem --


def emblem(brief: Brief) -> Art:
    """A badge: the name around the motif, or on a plate across it."""
    line = set_line(brief.small, brief.small.cased(brief.name), 72)
    connected = brief.script in CONNECTED  # whose letters break where their line is bent
    fits_ring = brief.name and not connected and arc_degrees(line, 271) < 300
    options: list[Callable[[Brief], Art]] = [_crest, _crest, _plate, _plate]
    options += [labels.oval_label, labels.half_sun, labels.pennant] if brief.name else []
    if fits_ring or not brief.name:
        options += [_ring, _ring, _ring, _arc_badge]
    return brief.rng.choice(options)(brief)


def _ring(brief: Brief) -> Art:
    """The name on a circle about the motif."""
    rng = brief.rng
    edge = brief.form("disc", "disc", "scallop", "octagon")
    light = brief.style == "minimal" or rng.random() < 0.3
    art = Art()
    shape = frames.form(edge, 398, rng)
    if light:
        art.fill("ink", hollow(shape, {"minimal": 8, "bold": 22}.get(brief.style, 11)))
    else:
        art.fill("ink", shape)
    inner = 232
    paper_inside = not light and rng.random() < 0.55
    if paper_inside:
        art.fill("paper", circle(inner))
    else:
        art.fill("voice" if light else "bright", ring(inner, rng.choice((4, 7))))
    if not light:
        art.fill("bright", ring(358, 4))
    on_ink = not light and not paper_inside
    mark = _optical(motif_art(brief, on_ink=on_ink))
    art.add(mark.fitted(300, 300).recolored(ON_INK if on_ink else {}))
    return art.add(_ring_text(brief, "ink" if light else "paper", "voice" if light else "bright"))


def _optical(mark: Art) -> Art:
    mx, my = frames.mass_center(mark)
    return mark.placed((-mx * 0.45, -my * 0.45))


def _ring_text(brief: Brief, role: str, second: str) -> Art:
    face, radius = brief.small, 268.0
    text, below = face.cased(brief.name), brief.tagline
    art, reach = Art(), 0.0
    if text:
        size = 74.0
        share = arc_degrees(set_line(face, text, size), radius)
        size *= min(1.0, 214 / share) if below else min(1.0, 290 / share)
        line = set_line(face, text, size)
        reach = arc_degrees(line, radius) / 2
        art.add(on_circle(line, radius + (74 - size) * 0.36, role, middle=-90))
    low = 0.0
    if below and reach < 110:
        small = set_line(face, below, 34.0)
        small = set_line(face, below, 34.0 * min(1.0, (166 - 0.45 * reach) / arc_degrees(small, 308)))
        art.add(on_circle(small, 308, second, middle=90, inside_out=True))
        low = arc_degrees(small, 308) / 2
    gap = (reach + (180 - low)) / 2
    if not low and reach < 100:
        # A short name leaves much of the ring: a line closes it.
        for start, end in ((-90 + reach + 16, 90 - 14), (90 + 14, 270 - reach - 16)):
            art.stroke(second, arc(295, start, end), 5)
    if 180 - low - reach > 14:
        ornament = brief.rng.choice((polygon(5, 17, inner=7), polygon(4, 17, inner=6), circle(9)))
        sides = (-1, 1) if low else (1,)
        for side in sides:
            x, y = arc(295, -90 + (side * gap if low else 180), 0)[0] if low else (0.0, 295.0)
            art.fill(second, [(px + x, py + y) for px, py in ornament])
    return art


def _arc_badge(brief: Brief) -> Art:
    """A half ring of type over the motif, which stands on a rule."""
    face = brief.small
    line = set_line(face, face.cased(brief.name), 84)
    line = set_line(face, line.text, min(132.0, 84 * 176 / max(arc_degrees(line, 300), 1)))
    art = on_circle(line, 300, "ink", middle=-90)
    mark = motif_art(brief).fitted(380, 330, (0, -20))
    art.add(mark)
    art.stroke("voice", [(-250.0, 200.0), (250.0, 200.0)], 8).stroke("voice", [(-150.0, 230.0), (150.0, 230.0)], 8)
    if brief.tagline:
        art.add(set_line(face, brief.tagline, 40).art("ink").fitted(420, 36, (0, 290)))
    return art


def _crest(brief: Brief) -> Art:
    """The motif above the name on one form."""
    rng = brief.rng
    name = brief.form("shield", "arch", "disc", "octagon", "oval", "squircle")
    shape = frames.form(name, 420, rng)
    solid = brief.style not in ("minimal",) and rng.random() < 0.65
    art = Art().fill("ink", shape) if solid else Art().fill("ink", hollow(shape, 14))
    art.fill("bright" if solid else "voice", hollow(scaled(shape, rng.choice((0.91, 0.93, 0.945))), rng.choice((4, 6))))
    wide, low = {"shield": (500, 60), "arch": (540, 190), "oval": (500, 130), "squircle": (560, 170)}.get(
        name, (560, 140)
    )
    text = block(brief.display, brief.words, wide, 220 if name != "shield" else 170, most_lines=3)
    top = {"shield": -140, "arch": -120}.get(name, -140)
    inside = motif_art(brief, on_ink=solid).fitted(270, 220, (0, top)).add(text.art().placed((0, low)))
    if not brief.name:
        inside = motif_art(brief, on_ink=solid).fitted(420, 420)
    return art.add(inside.recolored(ON_INK) if solid else inside)


_PLATE_ROOM = 300.0  # how far a badge reaches above its middle, within its rim


def _plate(brief: Brief) -> Art:
    """A round badge with the name on a plate across it."""
    rng = brief.rng
    shape = frames.form(brief.form("disc", "scallop", "flower", "octagon", "hexagon"), 372, rng)
    art = Art().fill("ink", shape).fill("bright", hollow(scaled(shape, 0.92), 6))
    text = block(brief.display, brief.words, 660, 190, most_lines=2)
    if not brief.name:
        return art.add(motif_art(brief, on_ink=True).fitted(420, 420).recolored(ON_INK))
    y, tall, wide = rng.choice((76.0, 90.0, 104.0)), text.height / 2 + 46, max(text.width / 2 + 80, 400)
    above, below = y - tall - 14, y + tall + 14  # of the plate
    room = above + _PLATE_ROOM - 52
    art.add(motif_art(brief, on_ink=True).fitted(300, room, (0, above - 26 - room / 2)).recolored(ON_INK))
    art.fill("paper", rectangle(-wide - 14, above, wide + 14, below))
    plate = rounded(-wide, y - tall, wide, y + tall, rng.choice((0.0, tall)))
    light = rng.random() < 0.5
    art.fill("ink", _hollow_plate(plate, y, 8) if light else plate)
    art.add(text.art(("ink" if light else "paper",)).placed((0, y)))
    star = motifs.solid("star", rng.randrange(3)).silhouette("bright")
    if below < 230:
        for x in (-80, 0, 80):
            art.add(star.fitted(44 if x else 60, 44 if x else 60, (x, below + 46)))
    return art


def _hollow_plate(plate: list[tuple[float, float]], y: float, width: float) -> list[list[tuple[float, float]]]:
    """A band along the inside of a plate about (0, y)."""
    xs, ys = [p[0] for p in plate], [p[1] for p in plate]
    fx, fy = 1 - width / max(xs), 1 - width / ((max(ys) - min(ys)) / 2)
    return [plate, [(px * fx, y + (py - y) * fy) for px, py in plate][::-1]]
