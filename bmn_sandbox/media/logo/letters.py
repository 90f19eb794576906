"""Logos from a brand's initials."""

from bmn_sandbox.media.art import ON_ACCENT, ON_INK, Art
from bmn_sandbox.media.faces import CONNECTED, Face
from bmn_sandbox.media.lettering import Line, fitted, set_line
from bmn_sandbox.media.logo import frames, letters_woven, motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.letters_woven import sign_face
from bmn_sandbox.media.logo.marks import icon
from bmn_sandbox.media.shapes import circle, polygon

# The designs of a style, each as often as it stands here.
_DESIGNS: dict[str, tuple[str, ...]] = {
    "minimal": ("framed", "orbit", "ruled", "dotted", "motif", "woven", "parted"),
    "modern": ("overlap", "quartered", "tiles", "woven", "bands", "large", "parted", "orbit"),
    "bold": ("framed", "large", "bands", "varsity", "quartered", "parted", "woven"),
    "vintage": ("framed", "laurel", "woven", "varsity", "ruled", "shadowed"),
    "playful": ("bubbles", "framed", "overlap", "quartered", "tilted", "varsity", "parted"),
}
_COUNTS = {  # of initials that a design can show, where it cannot show any number
    **dict.fromkeys(("overlap", "woven", "parted"), (2,)),
    **dict.fromkeys(("tiles", "bubbles", "quartered"), (2, 3)),
}


def lettermark(brief: Brief) -> Art:
    if not brief.initials:
        return icon(brief)
    design = brief.rng.choice(_DESIGNS[brief.style])
    if design in _COUNTS and (len(brief.initials) not in _COUNTS[design] or brief.script in CONNECTED):
        design = brief.rng.choice(("framed", "large", "orbit", "motif"))
    return _DRAWN[design](brief)


def _text(brief: Brief) -> str:
    letters = list(brief.initials)
    if brief.style == "minimal" and brief.display.case == "lower" and brief.script in ("Latin", "Cyrillic"):
        letters = [letter.lower() for letter in letters]
    if brief.script in ("Arabic", "Hebrew"):
        return " ".join(letters)
    joint = "&" if "&" in brief.name and len(letters) == 2 and brief.style in ("vintage", "playful") else ""
    return joint.join(letters)


def _word(brief: Brief, width: float, height: float) -> Art:
    return fitted(sign_face(brief), _text(brief), width, height).art()


def _framed(brief: Brief) -> Art:
    """The initials in a frame."""
    frame = frames.frame(brief.style, 380, brief.rng, brief.forms)
    if not frame.art.operations:
        return frame.holding(_word(brief, 500, 380), 0.8)
    return frame.holding(_word(brief, 500, 380), (0.82, 0.9, 0.9)[len(brief.initials) - 1], 1.22)


def _ruled(brief: Brief) -> Art:
    """The initials between two rules."""
    word = _word(brief, 560, 360)
    half, y = word.width / 2 * brief.rng.choice((0.4, 1.0, 1.2)), word.height / 2 + brief.rng.choice((54, 66, 90))
    width = brief.rng.choice((5, 7)) if brief.style == "minimal" else brief.rng.choice((8, 12, 20))
    art = (
        Art()
        .add(word)
        .stroke("voice", [(-half, -y), (half, -y)], width)
        .stroke("voice", [(-half, y), (half, y)], width)
    )
    if brief.style == "vintage":
        art.fill("voice", [[(px * 0.2, py * 0.2 - y - 40) for px, py in polygon(5, 100, inner=42)]])
    return art


def _dotted(brief: Brief) -> Art:
    """The initials and a full stop in the second color."""
    word = _word(brief, 560, 330)
    _left, top, right, bottom = word.bounds()
    r = brief.rng.choice((18, 26, 36))
    if brief.rng.random() < 0.3:
        return word.fill("accent", circle(r * 1.2, (right + r * 1.6, top + r)))
    return word.fill("accent", circle(r, (right + r * 1.7, bottom - r)))


def _laid(brief: Brief, face: Face, overlap: float) -> list[tuple[Line, float]]:
    """Each initial on one line with the middle of its ink; overlap: as a share of the narrower one."""
    size = min(fitted(face, letter, 440, 430).size for letter in brief.initials)
    lines = [set_line(face, letter, size) for letter in brief.initials]
    if brief.script in ("Arabic", "Hebrew"):
        lines.reverse()
    shared = overlap * min(line.width for line in lines)
    x, laid = -(sum(line.width for line in lines) - shared * (len(lines) - 1)) / 2, []
    for line in lines:
        laid.append((line, x + line.width / 2))
        x += line.width - shared
    return laid


def _overlap(brief: Brief) -> Art:
    """Letters that overlap, their common part in a third color."""
    art, before = Art(), None
    lift, first = brief.rng.choice((0, 0, 44, -44, 90)), brief.rng.randrange(2)
    for index, (line, x) in enumerate(_laid(brief, sign_face(brief), brief.rng.choice((0.12, 0.2, 0.28, 0.36)))):
        letter = line.art("ink" if index % 2 == first else "accent").placed((x, lift * (index - 0.5)))
        art.add(letter)
        if before is not None:
            shape = [outline for operation in before.operations for outline in operation.outlines]
            art.clip(shape, letter.silhouette("mid"))
        before = letter
    return art


def _tiles(brief: Brief) -> Art:
    """Each letter on a tile of its own."""
    count, gap = len(brief.initials), brief.rng.choice((0, 18))
    name = brief.form("tile", "squircle", "disc", "leafed")
    side = 760 / count if count == 2 else 700 / count
    down = count == 2 and brief.rng.random() < 0.3
    letters = brief.initials[::-1] if brief.script in ("Arabic", "Hebrew") else brief.initials
    art = Art()
    for index, letter in enumerate(letters):
        along = (index - (count - 1) / 2) * (side + gap)
        at = (along * 0.72, along * 0.72) if down else (along, 0.0)
        ground, roles = ("ink", ON_INK) if index % 2 == 0 else ("accent", ON_ACCENT)
        tile = Art().fill(ground, frames.form(name, side / 2 * 1.1, brief.rng))
        glyph = fitted(sign_face(brief), letter, side * 0.56, side * 0.52).art().recolored(roles)
        art.add(tile.add(glyph).placed(at))
    return art


def _large(brief: Brief) -> Art:
    """The initials as large as a solid form holds them whole."""
    name = brief.rng.choice(("disc", "squircle", "tile", "hexagon", "leafed"))
    count = len(brief.initials)
    side = 400.0 if count == 1 else 470.0 if name in ("squircle", "tile") else 430.0
    letters = _word(brief, side, side * 0.9).recolored(ON_INK)
    art = Art().fill("ink", frames.form(name, 380, brief.rng)).add(letters)
    return art.fill("bright", circle(34, (196, 196))) if count == 1 and name == "squircle" else art


def _with_motif(brief: Brief) -> Art:
    """The initials with the motif as their companion: above, or in the place after them."""
    mark = motifs.solid(brief.motifs[0], brief.version)
    if brief.rng.random() < 0.5:
        word = _word(brief, 600, 330).placed((0, 130))
        return Art().add(mark.fitted(260, 240, (0, -220)), word)
    frame = frames.frame(brief.style, 380, brief.rng, brief.forms)
    word = Art().add(_word(brief, 400, 210).placed((0, 90)), mark.fitted(220, 180, (0, -150)))
    return frame.holding(word, 1.0)


def _laurel(brief: Brief) -> Art:
    word = _word(brief, 330, 230)
    return frames.laurel(315, "voice", 10, 66).add(word.placed((0, -16)))


def _shadowed(brief: Brief) -> Art:
    """Letters with a block shadow, as on a sign."""
    word = _word(brief, 600, 440)
    art, role = Art(), "accent"
    dx, dy = brief.rng.choice(((0.8, 0.8), (-0.8, 0.8), (0.0, 1.0), (0.8, -0.7), (1.1, 0.3)))
    for step in range(brief.rng.choice((28, 44, 60)), 0, -2):
        art.add(word.silhouette(role).placed((step * dx, step * dy)))
    for operation in word.operations:
        art.stroke("paper", operation.outlines, 14, closed=True)
    return art.add(word)


def _bubbles(brief: Brief) -> Art:
    """Each letter on a round of its own, one a little higher than the next."""
    count, name = len(brief.initials), brief.rng.choice(("scallop", "blob", "flower", "disc"))
    radius, letters = (235, 170)[count > 2], brief.initials
    letters = letters[::-1] if brief.script in ("Arabic", "Hebrew") else letters
    near, lift = brief.rng.choice((1.3, 1.52, 1.8)), brief.rng.choice((-0.3, -0.16, 0.0, 0.16, 0.3))
    art = Art()
    for index, letter in enumerate(letters):
        x, y = (index - (count - 1) / 2) * radius * near, radius * (lift if index % 2 else -lift)
        ground = "ink" if index % 2 == 0 else "accent"
        role = "paper" if ground == "ink" else "on_accent"
        glyph = fitted(sign_face(brief), letter, radius * 0.95, radius * 0.95).art(role)
        art.add(Art().fill(ground, frames.form(name, radius, brief.rng)).add(glyph).placed((x, y)))
    return art


def _tilted(brief: Brief) -> Art:
    """Letters that lean to and fro."""
    lean, art = brief.rng.choice((-12, -8, 6, 8, 12, 16)), Art()
    for index, (line, x) in enumerate(_laid(brief, sign_face(brief), -0.06)):
        side = 1 if index % 2 else -1
        art.add(line.art("ink" if index % 2 == 0 else "voice").placed(turn=side * lean).placed((x, side * 18)))
    return art


_DRAWN = {
    "framed": _framed,
    "ruled": _ruled,
    "dotted": _dotted,
    "overlap": _overlap,
    "tiles": _tiles,
    "large": _large,
    "woven": letters_woven.woven,
    "bands": letters_woven.bands,
    "varsity": letters_woven.varsity,
    "parted": letters_woven.parted,
    "quartered": letters_woven.quartered,
    "orbit": letters_woven.orbit,
    "motif": _with_motif,
    "laurel": _laurel,
    "shadowed": _shadowed,
    "bubbles": _bubbles,
    "tilted": _tilted,
}
