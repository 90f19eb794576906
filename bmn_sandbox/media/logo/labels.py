"""Marks that hold a name as labels do: a parted label, a wide oval, a half sun above the name, an initial before it."""

from bmn_sandbox.media.art import ON_ACCENT, ON_INK, Art
from bmn_sandbox.media.lettering import fitted
from bmn_sandbox.media.logo import frames, motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.letters_woven import sign_face
from bmn_sandbox.media.logo.typeset import block, color_roles
from bmn_sandbox.media.shapes import arc, circle, hollow, polygon, rectangle, rounded

_RIGHT_TO_LEFT = ("Arabic", "Hebrew")
_BY_THE_WATER = ("sun", "sunrise", "moon", "wave", "boat", "anchor", "lighthouse", "fish", "bird")


def parted_label(brief: Brief) -> Art:
    """A label of two fields: the motif on one, the name on the other."""
    side = 1 if brief.script in _RIGHT_TO_LEFT else -1
    name = block(brief.display, brief.words, 470, 230, most_lines=3, align="right" if side > 0 else "left")
    tall = max(name.height + 140, 220)
    wide, square = name.width + 130, tall
    total = wide + square
    round_ = {"playful": 70.0, "modern": 36.0}.get(brief.style, 0.0)
    outer = rounded(-total / 2, -tall / 2, total / 2, tall / 2, round_)
    edge = side * (total / 2 - square)
    x0, x1 = sorted((edge, side * total))
    ground = Art().fill("ink", outer).clip(rectangle(x0, -900, x1, 900), Art().fill("accent", outer))
    mark = motifs.mono(brief.motifs[0], brief.version).fitted(square * 0.56, square * 0.56)
    return ground.add(
        mark.recolored(ON_ACCENT).placed((side * (total - square) / 2, 0)),
        name.art(("paper",)).placed((-side * square / 2, 0)),
    )


def initial_first(brief: Brief) -> Art:
    """The initial on a form of its own, and the name below or beside it."""
    if not brief.initials:
        return Art()
    form = brief.form(*(f for f in frames.FORMS_OF[brief.style] if f not in ("drop", "blob", "diamond")))
    letter = fitted(sign_face(brief), brief.initials[0], 300, 290).art()
    tile = Art().fill("ink", frames.form(form, 280, brief.rng)).add(letter.recolored(ON_INK))
    if form in ("tile", "squircle", "leafed") and brief.rng.random() < 0.5:
        tile.fill("bright", circle(30, (160, 150)))
    if len(brief.name) <= 14 and brief.rng.random() < 0.5:
        side = 1 if brief.script in _RIGHT_TO_LEFT else -1
        name = block(brief.display, brief.words, 520, 230, most_lines=2, align="right" if side > 0 else "left")
        tile = tile.fitted(max(200.0, name.height * 1.4), 260)
        total = tile.width + 54 + name.width
        return tile.placed((side * (total - tile.width) / 2, 0)).add(
            name.art().placed((-side * (total - name.width) / 2, 0))
        )
    name = block(brief.display, brief.words, 700, 250, most_lines=2)
    tile = tile.fitted(320, 320)
    return tile.placed((0, -tile.height / 2 - 36)).add(
        name.art(color_roles(brief.rng, len(name.lines))).placed((0, 36 + name.height / 2))
    )


def oval_label(brief: Brief) -> Art:
    """A wide oval with the name across it, the motif above and a star below."""
    rng = brief.rng
    text = block(brief.display, brief.words, 600, 210, most_lines=2)
    rx, ry = max(text.width / 2 + 130, 380), max(text.height / 2 + 176, 270)
    solid = brief.style != "minimal" and rng.random() < 0.6
    shape = circle(1.0, (0, 0))
    oval = [(x * rx, y * ry) for x, y in shape]
    inner = [(x * (rx - 24), y * (ry - 24)) for x, y in shape]
    art = Art().fill("ink", oval if solid else hollow(oval, 12)).fill("bright" if solid else "voice", hollow(inner, 5))
    mark = motifs.mono(brief.motifs[0], brief.version).fitted(180, 112)
    y = text.height / 2
    inside = Art().add(mark.placed((0, -y - 34 - mark.height / 2)), text.art())
    inside.fill("accent", polygon(rng.choice((4, 5)), 20, inner=8) if rng.random() < 0.7 else circle(9))
    star = inside.operations.pop()
    inside.add(Art([star]).placed((0, y + 62)))
    return art.add(inside.recolored(ON_INK) if solid else inside)


def half_sun(brief: Brief) -> Art:
    """The motif light in a half disc that stands on the name; below it stripes like water, or one short rule."""
    rng, r = brief.rng, 300.0
    text = block(brief.display, brief.words, 680, 180, most_lines=2)
    mark = motif_on_ink(brief, 230, 168).placed((0, -r * 0.42))
    top = Art().fill("ink", arc(r, 180, 360)).add(mark)
    low, art = text.height + 96, top.add(text.art().placed((0, 48 + text.height / 2)))
    if brief.motifs[0] not in _BY_THE_WATER:
        return art.fill("voice", rectangle(-70, low - 8, 70, low + 8))
    for index in range(rng.choice((3, 4))):
        half = r * (0.92 - 0.24 * index)
        art.stroke("voice", [(-half, low + index * 34), (half, low + index * 34)], 12 - 2 * index)
    return art


def motif_on_ink(brief: Brief, width: float, height: float) -> Art:
    """The motif as it is cut out of ink, about the origin."""
    return motifs.mono(brief.motifs[0], brief.version).fitted(width, height).recolored(ON_INK)


def pennant(brief: Brief) -> Art:
    """An upright banner with a notch at its foot, the motif above the name."""
    text = block(brief.display, brief.words, 470, 250, most_lines=4)
    mark = motifs.mono(brief.motifs[0], brief.version).fitted(270, 190)
    half = max(text.width / 2 + 70, 220)
    high, cut = mark.height + text.height + 300, brief.rng.choice((76.0, -76.0))
    top, foot = -high / 2, high / 2
    shape = [(-half, top), (half, top), (half, foot), (0.0, foot - cut), (-half, foot)]
    solid = brief.style != "minimal" and brief.rng.random() < 0.75
    art = Art().fill("ink", shape) if solid else Art().stroke("ink", shape, 12, closed=True)
    art.fill("bright" if solid else "voice", rectangle(-half + 44, top + 44, half - 44, top + 52))
    inside = Art().add(
        mark.placed((0, top + 100 + mark.height / 2)), text.art().placed((0, top + 150 + mark.height + text.height / 2))
    )
    return art.add(inside.recolored(ON_INK) if solid else inside)
