"""Names in type: the wordmark, and the lines that other logos carry."""

from bmn_sandbox.media.brief import Brief
from bmn_sandbox.media.canvas import Colour
from bmn_sandbox.media.lettering import Face, fitted, measure, set_line
from bmn_sandbox.media.motifs import draw_motif
from bmn_sandbox.media.palette import contrast
from bmn_sandbox.media.sheet import Pen, Sheet, arc


def name_lines(brief: Brief, longest: int = 13, *, title: bool = False) -> list[str]:
    """The name on one line, or, where it is long, on two of about the same length. title: as the brand spells it."""
    name = brief.title if title else brief.name
    words = name.split()
    if len(name) <= longest or len(words) < 2:
        return [name] if name else []

    def unevenness(cut: int) -> int:
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        dangling = 9 if words[cut - 1] == "&" or words[cut] == "&" else 0
        return abs(len(first) - len(second)) + dangling

    cut = min(range(1, len(words)), key=unevenness)
    return [" ".join(words[:cut]), " ".join(words[cut:])]


def caption(sheet: Sheet, brief: Brief, top: float, bottom: float, colour: Colour, *, width: float = 720) -> None:
    """The name between two heights, as large as it fits, its lines at one size."""
    lines = name_lines(brief, 20)
    if not lines:
        return
    room = (bottom - top) / (len(lines) + 0.35 * (len(lines) - 1))
    size = min(fitted(brief.display, text, width, room).size for text in lines)
    pitch = size * (0.92 if len(lines) > 1 else 0)
    middle = (top + bottom) / 2
    for index, text in enumerate(lines):
        line = measure(brief.display, text, size)
        set_line(sheet, line, (0, middle + (index - (len(lines) - 1) / 2) * pitch), colour)


def readable_accent(brief: Brief) -> Colour:
    """The accent where it can be read on the paper, else the ink."""
    palette = brief.palette
    return palette.accent if contrast(palette.accent, palette.paper) >= 2.4 else palette.ink


def wordmark(sheet: Sheet, brief: Brief) -> None:
    if not brief.name:
        draw_motif(Pen(sheet, scale=2.6), brief.motif, brief.palette.tones, line=5)
        return
    _WORDMARKS[brief.style](sheet, brief)


def _minimal_word(sheet: Sheet, brief: Brief) -> None:
    """Quiet type and one point of colour."""
    lines = name_lines(brief, 16)
    size = min(fitted(brief.display, text, 700, 150).size for text in lines)
    for index, text in enumerate(lines):
        line = measure(brief.display, text, size)
        y = (index - (len(lines) - 1) / 2) * size * 1.12
        set_line(sheet, line, (0, y), brief.palette.ink)
        if index == len(lines) - 1:
            r = size * 0.085
            foot = y - (line.top + line.bottom) / 2
            sheet.disc(r, brief.palette.accent, (line.width / 2 + r * 2.4, foot - r))


def _bold_word(sheet: Sheet, brief: Brief) -> None:
    """A block: every word as wide as the others."""
    lines = name_lines(brief, 7)
    fits = [fitted(brief.display, text, 760, 330) for text in lines]
    gap = 34.0
    y = -(sum(line.height for line in fits) + gap * (len(fits) - 1) + 72) / 2
    for index, line in enumerate(fits):
        colour = brief.palette.ink if index != 1 else readable_accent(brief)
        set_line(sheet, line, (0, y + line.height / 2), colour)
        y += line.height + gap
    wide = max(line.width for line in fits) / 2
    sheet.polygon([(-wide, y + 6), (wide, y + 6), (wide, y + 38), (-wide, y + 38)], brief.palette.accent)


def _modern_word(sheet: Sheet, brief: Brief) -> None:
    """One line in two colours, or two lines flush left, with a quarter disc as the sign."""
    lines = name_lines(brief, 10)
    size = min(fitted(brief.display, text, 690, 190).size for text in lines)
    set_lines = [measure(brief.display, text, size) for text in lines]
    wide, pitch = max(line.width for line in set_lines), size * 0.98
    for index, line in enumerate(set_lines):
        colour = brief.palette.ink if index == 0 else readable_accent(brief)
        y = (index - (len(lines) - 1) / 2) * pitch + 22
        parts = {}
        if len(lines) == 1 and len(brief.words) > 1:
            cut = line.text.index(" ")
            parts = {i: readable_accent(brief) for i in range(cut, len(line.text))}
        set_line(sheet, line, (-wide / 2 + line.width / 2, y), colour, parts=parts)
    first = set_lines[0]
    foot = 22 - (len(lines) - 1) / 2 * pitch - first.height / 2 - size * 0.22
    r, left = size * 0.26, -wide / 2
    for index, tone in enumerate((brief.palette.accent, brief.palette.ink)):
        corner = (left + index * r * 1.12, foot)
        sheet.polygon([corner, *arc(r, -90, 0, corner)], tone)


def _vintage_word(sheet: Sheet, brief: Brief) -> None:
    """A script over a swash, with small capitals below."""
    face = Face("Oleo Script", 400)
    lines = name_lines(brief, 14, title=True)
    size = min(fitted(face, text, 740, 230).size for text in lines)
    pitch = size * 0.95
    bottom = 0.0
    for index, text in enumerate(lines):
        line = measure(face, text, size)
        y = -60 + (index - (len(lines) - 1) / 2) * pitch
        set_line(sheet, line, (0, y), brief.palette.ink)
        bottom = max(bottom, y + line.height / 2)
    wide = max(measure(face, text, size).width for text in lines) / 2
    y = bottom + 46
    swash = (
        f"M{-wide:.1f} {y + 14:.1f} C{-wide / 3:.1f} {y - 26:.1f} {wide / 3:.1f} {y - 26:.1f} {wide:.1f} {y + 14:.1f}"
    )
    under = (
        f"L{wide:.1f} {y + 14:.1f} C{wide / 3:.1f} {y - 8:.1f} {-wide / 3:.1f} {y - 8:.1f} {-wide:.1f} {y + 14:.1f} Z"
    )
    Pen(sheet).fill(swash + under, brief.palette.accent)
    if brief.tagline:
        set_line(sheet, fitted(brief.small, brief.tagline, wide * 1.3, 30), (0, y + 66), brief.palette.ink)


def _playful_word(sheet: Sheet, brief: Brief) -> None:
    """Letters that hop, in turn in the brand's colours."""
    palette = brief.palette
    lines = name_lines(brief, 9)
    size = min(fitted(brief.display, text, 700, 230).size for text in lines)
    between = palette.ink.mixed(palette.accent, 0.4)
    # Opposite colours mix to mud, which is no third voice.
    tones = (palette.ink, readable_accent(brief), between if between.saturation > 0.3 else palette.ink)
    drawn = 0
    for row, text in enumerate(lines):
        whole = measure(brief.display, text, size)
        y = (row - (len(lines) - 1) / 2) * size * 1.02 - size * 0.16
        for index, letter in enumerate(text):
            if letter.isspace():
                continue
            before = measure(brief.display, text[: index + 1], size)
            box = measure(brief.display, letter, size)
            x = before.right - box.width / 2 - (whole.left + whole.right) / 2
            hop = size * (0.06 if drawn % 2 else -0.06)
            middle = (box.top + box.bottom) / 2 + size * 0.36
            set_line(sheet, box, (x, y + hop + middle), tones[drawn % 3])
            drawn += 1
    y = (len(lines) - 1) / 2 * size * 1.02 + size * 0.52
    Pen(sheet, (0, y)).stroke("M-90 0 C-45 44 45 44 90 0", 18, palette.accent)


_WORDMARKS = {
    "minimal": _minimal_word,
    "bold": _bold_word,
    "modern": _modern_word,
    "vintage": _vintage_word,
    "playful": _playful_word,
}
