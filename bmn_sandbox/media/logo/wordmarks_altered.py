"""Names of which one thing is not as expected: a letter that leans, a dot that is the motif, words on stairs."""

from bmn_sandbox.media.art import Art
from bmn_sandbox.media.lettering import Line, set_line
from bmn_sandbox.media.logo import motifs
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.typeset import Block
from bmn_sandbox.media.logo.wordmarks_shaped import name_block, start_side
from bmn_sandbox.media.shapes import Outline, Point, bounds, rectangle, rounded

Placed = tuple[str, list[Outline], float]
"""A letter, its outlines where they stand on the sheet, and the size of its line."""


def glyphs(set_: Block) -> list[Placed]:
    """Every letter of a block that leaves ink."""
    found = list[Placed]()
    for line, center in zip(set_.lines, set_.centers, strict=True):
        ox, oy = _middle(line)
        for glyph in line.glyphs:
            if glyph.outlines:
                shape = [
                    [((glyph.x + x) * line.size - ox + center[0], y * line.size - oy + center[1]) for x, y in outline]
                    for outline in glyph.outlines
                ]
                found.append((line.text[glyph.cluster], shape, line.size))
    return found


def _middle(line: Line) -> Point:
    return (line.left + line.right) / 2, (line.top + line.bottom) / 2


def _inner(set_: Block) -> list[int]:
    """Which of a block's letters stand within a word: at an end, one that is moved looks fallen off."""
    around = [
        line.text[max(0, glyph.cluster - 1) : glyph.cluster + 2]
        for line in set_.lines
        for glyph in line.glyphs
        if glyph.outlines
    ]
    return [index for index, letters in enumerate(around) if len(letters) == 3 and letters.isalpha()]


def altered(brief: Brief) -> Art:
    """One letter leans, is raised or sinks, in the second color."""
    set_ = name_block(brief, 780, 480)
    letters = glyphs(set_)
    chosen = brief.rng.choice(_inner(set_) or [len(letters) - 1])
    lean, lift = brief.rng.choice(((-16, 0.0), (14, 0.0), (0, -0.16), (0, 0.16)))
    art = Art()
    for index, (_text, shape, size) in enumerate(letters):
        letter = Art().fill("voice" if index == chosen else "ink", shape)
        if index == chosen:
            left, top, right, bottom = bounds(shape)
            x, y = (left + right) / 2, (top + bottom) / 2
            letter = letter.placed((-x, -y)).placed((x, y + lift * size), turn=lean, scale=0.94 if lean else 1.0)
        art.add(letter)
    return art


def dotted_i(brief: Brief) -> Art:
    """The dot of an i is a point of color, or the motif where there is room."""
    letters = glyphs(name_block(brief, 780, 480))
    found = [index for index, (text, shape, _size) in enumerate(letters) if text in "ij" and len(shape) > 1]
    art = Art()
    for index, (_text, shape, size) in enumerate(letters):
        if index not in found:
            art.fill("ink", shape)
            continue
        dot = min(shape, key=lambda outline: bounds([outline])[1])
        left, top, right, bottom = bounds([dot])
        art.fill("ink", [outline for outline in shape if outline is not dot])
        side, middle = max(right - left, size * 0.17) * 1.5, ((left + right) / 2, (top + bottom) / 2 - size * 0.03)
        mark = motifs.mono(brief.motifs[0], 0).silhouette("voice")
        pictured = index == found[0] and brief.display.weight >= 600
        art.add(mark.fitted(side * 1.4, side * 1.4, middle) if pictured else _round(side, middle))
    return art


def _round(side: float, at: Point) -> Art:
    half = side * 0.42
    return Art().fill("voice", rounded(at[0] - half, at[1] - half, at[0] + half, at[1] + half, half))


def stairs(brief: Brief) -> Art:
    """Each word a step farther in than the last."""
    side = -1 if start_side(brief) == "right" else 1
    lines = [set_line(brief.display, word, 100) for word in brief.words]
    step, art, y = brief.rng.choice((34.0, 60.0, 90.0)) * side, Art(), 0.0
    loud = brief.rng.randrange(len(lines))
    for index, line in enumerate(lines):
        x = index * step + side * line.width / 2
        art.add(line.art("voice" if index == loud and len(lines) > 1 else "ink").placed((x, y + line.height / 2)))
        y += line.height + 22
    return art.centered().fitted(760, 520)


def between(brief: Brief) -> Art:
    """The motif between two words of one line, or between two lines."""
    lines = [set_line(brief.display, word, 100) for word in brief.words]
    if start_side(brief) == "right":
        lines.reverse()
    mark = motifs.mono(brief.motifs[0], brief.version).silhouette("voice")
    if sum(len(word) for word in brief.words) <= 12:
        tall = max(line.height for line in lines)
        mark = mark.fitted(tall * 1.25, tall * 1.25)
        total = lines[0].width + lines[1].width + mark.width + 68
        art, x = Art(), -total / 2
        art.add(lines[0].art().placed((x + lines[0].width / 2, 0)))
        x += lines[0].width + 34
        art.add(mark.placed((x + mark.width / 2, 0)))
        return art.add(lines[1].art().placed((x + mark.width + 34 + lines[1].width / 2, 0)))
    wide = max(line.width for line in lines)
    mark = mark.fitted(86, 74)
    art = mark.stroke("voice", [(-wide / 2, 0.0), (-78.0, 0.0)], 5).stroke("voice", [(78.0, 0.0), (wide / 2, 0.0)], 5)
    above, below = lines if start_side(brief) == "left" else lines[::-1]
    return art.add(above.art().placed((0, -66 - above.height / 2)), below.art().placed((0, 66 + below.height / 2)))


def window_frame(brief: Brief) -> Art:
    """A frame about the name whose upper edge opens for the motif."""
    set_ = name_block(brief, 620, 380)
    air = brief.rng.choice((76, 92, 116))
    x, y = set_.width / 2 + air, set_.height / 2 + air + 20
    round_ = brief.rng.choice((0.0, 0.0, 60.0))
    width = {"bold": 20, "minimal": 7}.get(brief.style, 11)
    art = Art().stroke("ink", rounded(-x, -y, x, y, round_), width, closed=True)
    foot = brief.rng.random() < 0.35
    mark = motifs.mono(brief.motifs[0], brief.version).silhouette("voice").fitted(190, 156)
    half = mark.width / 2 + 34
    edge = y if foot else -y
    art.fill("paper", rectangle(-half, edge - 30, half, edge + 30))
    return art.add(mark.placed((0, edge)), set_.art())
