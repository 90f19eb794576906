"""Logos from a brand's initials."""

from PIL import ImageChops

from bmn_sandbox.media.brief import Brief
from bmn_sandbox.media.canvas import Colour
from bmn_sandbox.media.lettering import Face, fitted, measure, set_line
from bmn_sandbox.media.motifs import draw_motif
from bmn_sandbox.media.palette import contrast
from bmn_sandbox.media.sheet import Pen, Sheet, arc, polygon, squircle, wavy


def lettermark(sheet: Sheet, brief: Brief) -> None:
    if not brief.initials:
        sheet.ring(330, 26, brief.palette.ink)
        draw_motif(Pen(sheet, scale=2.0), brief.motif, brief.palette.tones, line=brief.line)
        return
    _LETTERMARKS[brief.style](sheet, brief)


def _minimal_letters(sheet: Sheet, brief: Brief) -> None:
    palette, start = brief.palette, brief.rng.choice((-60, -30, 120))
    ring = arc(318, start, start + 318)
    sheet.stroke(ring, 10, palette.ink)
    sheet.disc(19, palette.accent, arc(318, start + 339, start + 340)[0])
    face = Face("Jost", 300, 2)
    set_line(sheet, fitted(face, brief.initials, 330, 230), (0, 0), palette.ink)


def _bold_letters(sheet: Sheet, brief: Brief) -> None:
    palette = brief.palette
    ink, accent, _ground = palette.on_ink()
    Pen(sheet).fill([squircle(345, 5)], palette.ink)
    face = Face("Archivo Black", 400, -5)
    line = fitted(face, brief.initials, 440, 300)
    set_line(sheet, line, (0, -36), ink)
    half = line.width / 2
    sheet.polygon([(-half, 168), (half, 168), (half, 212), (-half, 212)], accent)


def _modern_letters(sheet: Sheet, brief: Brief) -> None:
    """Two forms that overlap, their common part in a third colour."""
    palette, face = brief.palette, Face("Outfit", 800)
    first, second = brief.initials[:1], brief.initials[1:]
    one, two = _mask(), _mask()
    if second:
        size = min(fitted(face, letter, 420, 430).size for letter in brief.initials)
        lines = [measure(face, letter, size) for letter in brief.initials]
        overlap = 0.20 * min(line.width for line in lines)
        span = lines[0].width + lines[1].width - overlap
        set_line(one, lines[0], (-span / 2 + lines[0].width / 2, 0), _FULL)
        set_line(two, lines[1], (span / 2 - lines[1].width / 2, 0), _FULL)
    else:
        two.disc(215, _FULL, (95, 95))
        set_line(one, fitted(face, first, 470, 470), (-20, -30), _FULL)
    both = ImageChops.darker(one.image.getchannel(0), two.image.getchannel(0))
    sheet.image.paste(tuple(palette.accent), (0, 0), two.image.getchannel(0))
    sheet.image.paste(tuple(palette.ink), (0, 0), one.image.getchannel(0))
    sheet.image.paste(tuple(palette.ink.mixed(palette.accent, 0.45)), (0, 0), both)


_FULL = Colour(255, 255, 255)


def _mask() -> Sheet:
    return Sheet(Colour(0, 0, 0))


def _vintage_letters(sheet: Sheet, brief: Brief) -> None:
    palette = brief.palette
    pen = Pen(sheet)
    diamond = polygon(4, 400)
    pen.fill([diamond], palette.ink)
    pen.stroke([polygon(4, 362)], 5, palette.on_ink()[1], closed=True)
    pen.stroke([polygon(4, 342)], 2.5, palette.on_ink()[1], closed=True)
    text = "&".join(brief.initials) if "&" in brief.name else brief.initials
    line = fitted(Face("Abril Fatface", 400, 1), text, 330, 190)
    set_line(sheet, line, (0, 0), palette.paper)
    for y in (-205, 205):
        pen.fill([[(x * 0.22, y + v * 0.22) for x, v in polygon(4, 100, inner=32)]], palette.on_ink()[1])


def _playful_letters(sheet: Sheet, brief: Brief) -> None:
    palette, face = brief.palette, Face("Fredoka", 700)
    grounds = (palette.ink, palette.accent)
    count = len(brief.initials)
    for index, letter in enumerate(brief.initials):
        x = (index - (count - 1) / 2) * 330
        y = (-34 if index % 2 == 0 else 34) if count > 1 else 0
        ground = grounds[index % 2]
        Pen(sheet, (x, y)).fill([wavy(232 if count > 1 else 320, 9, 13)], ground)
        letter_tone = palette.paper if contrast(palette.paper, ground) >= 2 else palette.ink
        set_line(sheet, fitted(face, letter, 250, 230 if count > 1 else 330), (x, y), letter_tone)
    for x, y, r in ((-330, -290, 26), (345, -255, 17), (300, 320, 30), (-270, 330, 14)):
        sheet.disc(r, palette.accent if r > 20 else palette.ink, (x, y))


_LETTERMARKS = {
    "minimal": _minimal_letters,
    "bold": _bold_letters,
    "modern": _modern_letters,
    "vintage": _vintage_letters,
    "playful": _playful_letters,
}
