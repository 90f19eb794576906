"""Names whose letters are drawn on: cut, bent, shadowed, replaced, on a ribbon."""

from bmn_sandbox.media.art import Art
from bmn_sandbox.media.faces import Face
from bmn_sandbox.media.lettering import on_circle, set_line
from bmn_sandbox.media.logo import motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.typeset import Block, block, color_roles
from bmn_sandbox.media.shapes import path, rectangle

ROUND = "oOоОοΟ"
"""Letters that a picture may stand for, in any script."""


def name_block(brief: Brief, width: float = 820, height: float = 560, *, align: str = "center", most: int = 4) -> Block:
    """The brief's name as large as it fits."""
    return block(brief.display, brief.words, width, height, align=align, most_lines=most)


def start_side(brief: Brief) -> str:
    """The side at which reading begins."""
    return "right" if brief.script in ("Arabic", "Hebrew") else "left"


def motif_letter(brief: Brief) -> Art:
    """The motif in place of a round letter, where the name has one; else it stands above the name."""
    set_ = name_block(brief, 820, 520)
    mark = motifs.mono(brief.motifs[0], brief.version)
    mark = mark.silhouette("voice")
    for line, center in zip(set_.lines, set_.centers, strict=True):
        found = [i for i, letter in enumerate(line.text) if letter in ROUND]
        if found:
            return _replaced(set_, line, center, brief.rng.choice(found), mark)
    side = set_.lines[0].size
    return set_.art().add(mark.fitted(side, side * 0.8, (0, -set_.height / 2 - side * 0.62)))


def _replaced(set_: Block, line: object, center: tuple[float, float], index: int, mark: Art) -> Art:
    art = Art()
    for other, at in zip(set_.lines, set_.centers, strict=True):
        if other is not line:
            art.add(other.art().placed(at))
            continue
        glyph = next(g for g in other.glyphs if g.cluster == index)
        xs = [(glyph.x + x) * other.size for outline in glyph.outlines for x, _y in outline]
        ys = [y * other.size for outline in glyph.outlines for _x, y in outline]
        ox, oy = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        middle = (at[0] + (min(xs) + max(xs)) / 2 - ox, at[1] + (min(ys) + max(ys)) / 2 - oy)
        letters = other.art("ink", {index: "gone"})
        letters.operations = [operation for operation in letters.operations if operation.role != "gone"]  # type: ignore[union-attr]
        side = max(max(xs) - min(xs), max(ys) - min(ys)) * 1.06
        art.add(letters.placed(at), mark.fitted(side, side, middle))
    return art


def swash(brief: Brief) -> Art:
    """A script over a swash, with small capitals below."""
    scripts = [
        Face("Oleo Script", 700),
        Face("Pacifico", 400),
        Face("Playfair Display", 800),
        Face("Abril Fatface", 400),
    ]
    face = brief.rng.choice(scripts) if brief.script == "Latin" else brief.display
    lines = brief.rng.choice((1, 2, 3))
    lines = 3 if len(brief.name) > 18 else lines  # or its letters are lost in a small picture
    set_ = block(face, brief.name.split(), 800, 440, most_lines=lines)
    wide, y = set_.width / 2, set_.height / 2 + 44
    swash = (
        f"M{-wide:.1f} {y + 14:.1f} C{-wide / 3:.1f} {y - 26:.1f} {wide / 3:.1f} {y - 26:.1f} {wide:.1f} {y + 14:.1f} "
        f"C{wide / 3:.1f} {y - 6:.1f} {-wide / 3:.1f} {y - 6:.1f} {-wide:.1f} {y + 14:.1f} Z"
    )
    art = set_.art(color_roles(brief.rng, len(set_.lines)))
    if brief.rng.random() < 0.3:
        art.fill("accent", [[(px, -py) for px, py in outline][::-1] for outline in path(swash)])
    art.fill("accent", swash)
    return art.add(_tagline(brief, wide * 1.2, (0, y + 66))) if brief.rng.random() < 0.7 else art


def _tagline(brief: Brief, width: float, at: tuple[float, float]) -> Art:
    if not brief.tagline:
        return Art()
    line = set_line(brief.small, brief.tagline, 30)
    return line.art("voice").fitted(width, 30, at)


def arched(brief: Brief) -> Art:
    """The name on an arch, each letter upright on its curve, the motif below it."""
    line = set_line(brief.display, " ".join(brief.words), 100)
    radius = line.width / 1.5
    mark = motifs.solid(brief.motifs[0], brief.version)
    art = on_circle(line, radius, "ink").add(mark.fitted(radius * 0.7, radius * 0.5, (0, -radius * 0.52)))
    return art.centered().fitted(820, 620)


def shadowed(brief: Brief) -> Art:
    """The name with a block shadow, as on a sign."""
    word = name_block(brief, 780, 500).art()
    art = Art()
    dx, dy = brief.rng.choice(((0.8, 0.8), (-0.8, 0.8), (0.0, 1.1), (1.1, 0.2), (0.7, -0.7)))
    role = brief.rng.choice(("accent", "accent", "mid"))
    for step in range(brief.rng.choice((18, 26, 36)), 0, -2):
        art.add(word.silhouette(role).placed((step * dx, step * dy)))
    for operation in word.operations:
        art.stroke("paper", operation.outlines, 9, closed=True)
    return art.add(word)


def banner(brief: Brief) -> Art:
    """The name on a ribbon."""
    set_ = name_block(brief, 600, 190, most=2)
    x, y, tail = set_.width / 2 + 56, set_.height / 2 + 46, 120
    art = Art()
    for side in (-1, 1):
        inner, outer = side * (x - 50), side * (x + tail)
        ends = [(inner, -y + 44), (outer, -y + 44), (outer - side * 50, 44.0), (outer, y + 44), (inner, y + 44)]
        art.fill("accent", [ends if side > 0 else ends[::-1]])
        fold = [(side * (x - 50), y), (side * x, y), (side * (x - 50), y + 44)]
        art.fill("mid", [fold])
    art.fill("ink", rectangle(-x, -y, x, y)).add(set_.art(("paper",)))
    mark = motifs.solid(brief.motifs[0], brief.version).fitted(230, 200, (0, -y - 150))
    return art.add(mark)


def hopping(brief: Brief) -> Art:
    """Letters that hop, in turn in the brand's colors."""
    set_ = name_block(brief, 780, 500)
    roles = brief.rng.choice((("ink", "voice"), ("ink", "voice", "mid"), ("ink", "ink", "voice")))
    art, drawn = Art(), 0
    for line, center in zip(set_.lines, set_.centers, strict=True):
        ox, oy = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        for glyph in line.glyphs:
            if not glyph.outlines:
                continue
            hop = line.size * (0.05 if drawn % 2 else -0.05)
            shape = [[((glyph.x + x) * line.size - ox, y * line.size - oy) for x, y in o] for o in glyph.outlines]
            art.add(Art().fill(roles[drawn % len(roles)], shape).placed((center[0], center[1] + hop)))
            drawn += 1
    return art


def smile(brief: Brief) -> Art:
    set_ = name_block(brief, 800, 460)
    y, r = set_.height / 2 + 46, min(set_.width * 0.3, 170) * brief.rng.choice((0.7, 0.85, 1.0, 1.2))
    return set_.art(color_roles(brief.rng, len(set_.lines))).stroke(
        "accent",
        f"M{-r:.1f} {y:.1f} C{-r / 2:.1f} {y + r * 0.5:.1f} {r / 2:.1f} {y + r * 0.5:.1f} {r:.1f} {y:.1f}",
        brief.rng.choice((16, 22, 30)),
    )
