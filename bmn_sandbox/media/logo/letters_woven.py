"""Initials that make one sign: woven, striped, outlined, on a parted tile, in a field of four."""

import math

from bmn_sandbox.media.art import ON_ACCENT, ON_INK, ON_SOFT, Art
from bmn_sandbox.media.faces import Face
from bmn_sandbox.media.lettering import fitted
from bmn_sandbox.media.logo import frames, motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.shapes import Outline, arc, circle, rectangle, turned


def sign_face(brief: Brief) -> Face:
    """The display face as initials are set in it."""
    face = brief.display
    return Face(face.family, face.weight, min(face.tracking, 4.0), "title")


def _letter(brief: Brief, index: int, width: float, height: float) -> Art:
    return fitted(sign_face(brief), brief.initials[index % len(brief.initials)], width, height).art()


def _haloed(letter: Art, width: float) -> Art:
    """The letter with air around it."""
    art = Art()
    for operation in letter.operations:
        art.stroke("paper", operation.outlines, width, closed=True)
    return art.add(letter)


def woven(brief: Brief) -> Art:
    """Two letters that go over and under each other where they cross."""
    lean = brief.rng.choice(((0.34, 0.0), (0.42, 0.14), (0.3, 0.24), (0.46, -0.16)))
    one, two = _letter(brief, 0, 460, 470), _letter(brief, 1, 460, 470).recolored({"ink": "voice"})
    shift = (one.width + two.width) / 2 * (1 - lean[0]) / 2 + 10
    one, two = one.placed((-shift, -lean[1] * 235)), two.placed((shift, lean[1] * 235))
    _left, top, _right, bottom = one.bounds()
    middle = (top + bottom) / 2 + brief.rng.choice((-50, 0, 50))
    over = Art().add(two, _haloed(one, 30))
    return Art().add(one, _haloed(two, 30)).clip(rectangle(-700, -700, 700, middle), over)


def bands(brief: Brief) -> Art:
    """Letters of stripes that grow thinner toward the head or the foot."""
    word = fitted(sign_face(brief), "".join(brief.initials), 640, 500).art()
    _left, top, _right, bottom = word.bounds()
    count, heavy = brief.rng.choice((6, 8, 10)), brief.rng.choice((0.34, 0.22))
    pitch, cuts, turn = (bottom - top) / count, list[Outline](), brief.rng.choice((0, 0, -18))
    for index in range(-count, 2 * count):
        share = min(1.0, max(0.0, index / count))
        high = pitch * (0.12 + heavy * share)
        y = top + index * pitch + pitch - high
        cuts.append(turned(rectangle(-900, y, 900, y + high), turn))
    return Art().clip(cuts, word, outside=True)


def varsity(brief: Brief) -> Art:
    """Letters with a line around them, as on a team's jacket."""
    letters = [_letter(brief, index, 420, 430) for index in range(len(brief.initials))]
    art, x = Art(), 0.0
    for letter in letters:
        art.add(letter.placed((x + letter.width / 2, 0.0)))
        x += letter.width + 64
    ring, wide, gap = Art(), brief.rng.choice((70, 84)), brief.rng.choice((38, 48))
    for operation in art.operations:
        ring.stroke("voice", operation.outlines, wide, closed=True)
    for operation in art.operations:
        ring.stroke("paper", operation.outlines, gap, closed=True)
    return ring.add(art)


def parted(brief: Brief) -> Art:
    """A tile of two colors, a letter on each."""
    name = brief.form("tile", "squircle", "disc", "leafed")
    form, turn = frames.form(name, 380, brief.rng), brief.rng.choice((45, -45, 0, 90))
    half = turned(rectangle(0, -900, 900, 900), turn)
    x, y = (math.cos(math.radians(turn)) * 150, math.sin(math.radians(turn)) * 150)
    one = _letter(brief, 0, 210, 230).recolored({"ink": "paper"}).placed((-x, -y))
    two = _letter(brief, 1, 210, 230).recolored(ON_ACCENT).placed((x, y))
    ground = Art().clip(form, Art().fill("ink", form).clip(half, Art().fill("accent", form)))
    return ground.add(one, two)


def quartered(brief: Brief) -> Art:
    """Four fields: the initials, the motif, and a quarter of a disc."""
    side, gap = 330.0, brief.rng.choice((0.0, 16.0))
    at = (side + gap) / 2
    places = brief.rng.choice((((-1, -1), (1, 1), (1, -1), (-1, 1)), ((-1, 1), (1, -1), (-1, -1), (1, 1))))
    fields = [(px * at, py * at) for px, py in places]
    art = Art()
    square = rectangle(-side / 2, -side / 2, side / 2, side / 2)
    mark = motifs.mono(brief.motifs[0], brief.version).fitted(190, 190)
    first, second = _letter(brief, 0, 190, 190), _letter(brief, 1, 190, 190)
    third = _letter(brief, 2, 190, 190) if len(brief.initials) > 2 else None
    quarter = [(-side / 2, -side / 2), *arc(side, 0, 90, (-side / 2, -side / 2))]
    corner = [turned(quarter, brief.rng.choice((0, 90, 180, 270)))]
    tiles = (
        Art().fill("ink", square).add(first.recolored(ON_INK)),
        Art().fill("soft", square).add(second.recolored(ON_SOFT)),
        Art().fill("accent", square).add(mark.recolored(ON_ACCENT)),
        Art().fill("soft", square).add(third.recolored(ON_SOFT)) if third
        else Art().fill("soft", square).fill("ink", corner),
    )  # fmt: skip
    for tile, center in zip(tiles, fields, strict=True):
        art.add(tile.placed(center))
    return art


def orbit(brief: Brief) -> Art:
    """The initials in a ring that opens for a point of color."""
    radius, width = 340.0, brief.rng.choice((10, 22, 40))
    start, gap = brief.rng.choice((-45, 45, 135, -90)), brief.rng.choice((26, 40))
    word = fitted(sign_face(brief), "".join(brief.initials), 380, 270).art()
    art = Art().stroke("ink", arc(radius, start + gap / 2, start + 360 - gap / 2), width)
    return art.fill("accent", circle(max(24.0, width * 0.9), arc(radius, start, start + 1)[0])).add(word)
