"""Logos that are the name itself."""

from collections.abc import Callable

from bmn_sandbox.media.art import Art
from bmn_sandbox.media.color import contrast
from bmn_sandbox.media.faces import CONNECTED, WRITTEN, Face
from bmn_sandbox.media.lettering import set_line
from bmn_sandbox.media.logo import motifs, wordmarks_altered, wordmarks_shaped
from bmn_sandbox.media.logo.brief import Brief
from bmn_sandbox.media.logo.marks import icon
from bmn_sandbox.media.logo.typeset import Block, color_roles, justified, padded
from bmn_sandbox.media.logo.wordmarks_shaped import ROUND, name_block, start_side
from bmn_sandbox.media.shapes import circle, path, polygon, rectangle, rounded

# The designs of a style, each as often as it stands here.
_DESIGNS: dict[str, tuple[str, ...]] = {
    "minimal": ("plain_dot", "ruled", "window", "dotted_i", "motif_above", "stairs", "split_rule", "between"),
    "modern": ("flush", "two_tone", "altered", "motif_letter", "reversed", "dotted_i", "bracketed", "stairs"),
    "bold": ("poster", "reversed", "bracketed", "altered", "underlined", "tilted_box", "window", "stairs"),
    "vintage": ("swash", "arched", "poster", "between", "shadowed", "banner", "window"),
    "playful": ("hopping", "shadowed", "altered", "smile", "reversed", "motif_letter", "dotted_i"),
}
_CALM_ENOUGH, _SHORT = 14, 18  # letters: more of them flicker with a shadow each, or are small on a ribbon
_LETTER_BY_LETTER = ("altered", "motif_letter", "hopping")  # not for hands, whose letters hang together
_ALTERED = ("altered", "dotted_i")  # spoil what has many strokes, or marks above and below
_IMPOSSIBLE_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(CONNECTED, ("hopping", "motif_letter", "arched", "stairs", *_ALTERED)),
    **dict.fromkeys(("Han", "Kana", "Hangul"), ("shadowed", *_ALTERED)),
    "Thai": ("hopping", *_ALTERED),
    "Hebrew": _ALTERED,
}


def wordmark(brief: Brief) -> Art:
    if not brief.name:
        return icon(brief)
    fit = [design for design in _DESIGNS[brief.style] if suits(brief, design)]
    return _DRAWN[brief.rng.choice(fit or ["flush", "reversed", "window"])](brief)


def suits(brief: Brief, design: str) -> bool:
    """Whether the name has what a design plays with: letters of the right kind, words enough, a color that type reads in."""
    if design in _IMPOSSIBLE_IN.get(brief.script, ()):
        return False
    words, roles = brief.words, brief.palette.roles()
    if design in _LETTER_BY_LETTER and brief.display.family in WRITTEN:
        return False
    match design:
        case "dotted_i":
            return any(letter in "ij" for word in words for letter in word)
        case "motif_letter":
            return any(letter in ROUND for word in words for letter in word)
        case "arched" | "banner":
            return len(brief.name) <= _SHORT
        case "altered":
            return roles["voice"] != roles["ink"] and sum(map(len, words)) > 3
        case "shadowed":
            return sum(map(len, words)) <= _CALM_ENOUGH
        case "stairs":
            return 1 < len(words) < 5
        case "between":
            return len(words) == 2
        case "split_rule":
            return len(words) == 2 and sum(map(len, words)) <= 10 and brief.script not in ("Arabic", "Hebrew")
        case _:
            return True


def _plain_dot(brief: Brief) -> Art:
    """Quiet type and one point of color."""
    set_ = name_block(brief, 780, 460, align=brief.rng.choice(("center", start_side(brief))))
    art = set_.art()
    line, (x, y) = set_.lines[-1], set_.centers[-1]
    r = line.size * brief.rng.choice((0.06, 0.075, 0.1))
    foot = y - (line.top + line.bottom) / 2
    side = -1 if start_side(brief) == "right" else 1
    return art.fill("accent", circle(r, (x + side * (line.width / 2 + r * 2.4), foot - r)))


def _ruled(brief: Brief) -> Art:
    set_ = name_block(brief, 780, 420)
    half, y = set_.width / 2 * brief.rng.choice((1.0, 0.3)), set_.height / 2 + brief.rng.choice((46, 58, 76))
    width = {"minimal": 5.0, "vintage": 6.0}.get(brief.style, 10.0)
    art = set_.art().stroke("voice", [(-half, -y), (half, -y)], width).stroke("voice", [(-half, y), (half, y)], width)
    if brief.style == "vintage":
        for side in (-1, 1):
            art.fill("paper", circle(34, (0, side * y)))
            art.fill("voice", [[(px * 0.24, py * 0.24 + side * y) for px, py in polygon(4, 100, inner=34)]])
    return art


def _flush(brief: Brief) -> Art:
    """Lines flush at the side where reading begins, with a small sign or bar there."""
    side = start_side(brief)
    set_ = name_block(brief, 760, 520, align=side)
    roles = color_roles(brief.rng, len(set_.lines))
    sign = brief.rng.choice(("bar", "quarters", "dot", "motif"))
    return set_.art(roles).add(_sign(brief, set_, sign, -1 if side == "left" else 1))


def _sign(brief: Brief, set_: Block, kind: str, side: int) -> Art:
    edge, top, size = side * set_.width / 2, -set_.height / 2, set_.lines[0].size
    if kind == "bar":
        width = size * 0.14
        x = edge + side * size * 0.3
        return Art().fill("accent", rectangle(x - width / 2, top, x + width / 2, -top))
    if kind == "dot":
        return Art().fill("accent", circle(size * 0.15, (edge - side * size * 0.15, top - size * 0.38)))
    if kind == "motif":
        mark = motifs.solid(brief.motifs[0], brief.version).fitted(size * 0.95, size * 0.8)
        return mark.placed((edge - side * mark.width / 2, top - size * 0.62))
    # Two quarters of a disc, one on the other, clear of the letters' accents.
    r = size * 0.3
    art = Art()
    for index, role in enumerate(("accent", "ink")):
        x = edge - side * index * r * 1.12
        corner = path(f"M0 0 L0 {-r:.1f} C{r * 0.55:.1f} {-r:.1f} {r:.1f} {-r * 0.55:.1f} {r:.1f} 0 Z")
        art.add(Art().fill(role, corner).placed((x, top - size * 0.32), flip=side > 0))
    return art


def _two_tone(brief: Brief) -> Art:
    """Words in turn in ink and accent, run together where there are two."""
    words = brief.words
    if brief.palette.roles()["voice"] == brief.palette.ink and len(words) > 1:
        return _two_weights(brief)
    if brief.script == "Latin" and len(words) == 2 and brief.display.case != "upper" and brief.rng.random() < 0.4:
        line = set_line(brief.display, "".join(words), 100)
        parts = dict.fromkeys(range(len(words[0]), len("".join(words))), "voice")
        return line.art("ink", parts).fitted(820, 300)
    set_ = name_block(
        brief, 820, 520, align=brief.rng.choice(("center", start_side(brief))), most=brief.rng.choice((2, 4))
    )
    return set_.art(
        brief.rng.choice((("ink", "voice", "ink", "voice"), ("voice", "ink", "voice", "ink"), ("ink", "ink", "voice")))
    )


def _two_weights(brief: Brief) -> Art:
    """Where the second color is too pale for type, one word speaks up and the others are light."""
    light = Face(brief.display.family, 300, brief.display.tracking, brief.display.case)
    set_ = name_block(brief, 780, 480, align=brief.rng.choice(("center", start_side(brief))))
    loud, art = brief.rng.randrange(len(set_.lines)), Art()
    for index, (line, center) in enumerate(zip(set_.lines, set_.centers, strict=True)):
        art.add((line if index == loud else set_line(light, line.text, line.size)).art().placed(center))
    side = -1 if start_side(brief) == "left" else 1
    return art.add(_sign(brief, set_, brief.rng.choice(("bar", "dot", "quarters", "motif")), side))


def _reversed(brief: Brief) -> Art:
    """The name in the paper's color on a block of ink."""
    set_ = name_block(brief, 640, 420, align=brief.rng.choice(("center", start_side(brief))))
    x, y = padded(set_)
    ground = (
        "accent" if contrast(brief.palette.accent, brief.palette.paper) >= 3 and brief.rng.random() < 0.3 else "ink"
    )
    round_ = {"playful": y * 0.7, "modern": 34.0}.get(brief.style, 0.0)
    art = Art().fill(ground, rounded(-x, -y, x, y, round_)).add(set_.art(("paper",)))
    if brief.style == "bold":
        art.fill("accent" if ground == "ink" else "ink", rectangle(-x, y + 14, x, y + 40))
    return art


def _tilted_box(brief: Brief) -> Art:
    return _reversed(brief).placed(turn=brief.rng.choice((-7, -5)))


def _bracketed(brief: Brief) -> Art:
    """The name between two open brackets."""
    set_ = name_block(brief, 640, 420)
    x, y, arm = set_.width / 2 + 74, set_.height / 2 + 62, brief.rng.choice((54, 84))
    art = set_.art(color_roles(brief.rng, len(set_.lines)))
    kind, width, role = (
        brief.rng.choice(("square", "corners", "round", "chevron")),
        brief.rng.choice((9, 16, 24)),
        brief.rng.choice(("voice", "ink")),
    )
    for side in (-1, 1):
        far, near, foot = float(side * x), float(side * (x - arm)), float(y)
        top, bottom = [(near, -foot), (far, -foot)], [(far, foot), (near, foot)]
        if kind == "square":
            art.stroke(role, [*top, *bottom], width)
        elif kind == "corners":
            line = [*top, (far, arm - foot)] if side < 0 else [(far, foot - arm), *bottom]
            art.stroke(role, line, width)
        elif kind == "round":
            art.stroke(
                role, [(side * (x - arm * t * t), float(y * t)) for t in (i / 12 for i in range(-12, 13))], width
            )
        else:
            art.stroke(role, [top[0], (side * (x + 20), 0.0), bottom[1]], width)
    return art


def _poster(brief: Brief) -> Art:
    """A block: every word as wide as the others."""
    set_ = name_block(brief, 800, 560)
    texts = [line.text for line in set_.lines]
    if len(texts) == 1 and len(brief.words) > 1:
        texts = brief.words[:4] if len(brief.words) <= 4 else texts
    stack = justified(brief.display, texts, 780, 34, 330)
    art = stack.art(color_roles(brief.rng, len(texts)))
    y, bar = stack.height / 2, brief.rng.choice((10, 20, 30, 46))
    where = brief.rng.choice(
        ("none", "below", "above", "both", "both" if brief.style == "vintage" else "below", "double")
    )
    if where in ("below", "both", "double"):
        art.fill("accent", rectangle(-390, y + 40, 390, y + 40 + bar))
    if where in ("above", "both"):
        art.fill("accent", rectangle(-390, -y - 40 - bar, 390, -y - 40))
    if where == "double":
        art.fill("ink", rectangle(-390, y + 60 + bar, 390, y + 68 + bar))
    return art


def _underlined(brief: Brief) -> Art:
    set_ = name_block(brief, 820, 520, align=start_side(brief))
    edge, y = -set_.width / 2 if start_side(brief) == "left" else set_.width / 2, set_.height / 2
    long, bar = set_.width * brief.rng.choice((0.18, 0.3, 0.5, 1.0)), brief.rng.choice((14, 24, 34, 52))
    x0, x1 = sorted((edge, edge + long if edge < 0 else edge - long))
    return set_.art().fill("accent", rectangle(x0, y + 36, x1, y + 36 + bar))


def _split_rule(brief: Brief) -> Art:
    """The words side by side or on top of each other, a fine rule between them."""
    lines = [set_line(brief.display, word, 100) for word in brief.words]
    gap, x, art = brief.rng.choice((60.0, 76.0, 96.0)), 0.0, Art()
    for line in lines:
        art.add(line.art().placed((x + line.width / 2, -(line.bottom + line.top) / 2 * -1)))
        x += line.width + gap
    middle = lines[0].width + gap / 2
    return art.stroke("voice", [(middle, -92.0), (middle, 26.0)], brief.rng.choice((3, 5, 8))).fitted(800, 300)


def _motif_above(brief: Brief) -> Art:
    set_ = name_block(brief, 780, 380)
    mark = motifs.lines(brief.motifs[0], brief.version, 6).fitted(
        *brief.rng.choice(((170, 150), (200, 180), (230, 200)))
    )
    return set_.art().placed((0, 90)).add(mark.placed((0, 90 - set_.height / 2 - 150)))


_DRAWN: dict[str, Callable[[Brief], Art]] = {
    "plain_dot": _plain_dot,
    "ruled": _ruled,
    "flush": _flush,
    "two_tone": _two_tone,
    "motif_letter": wordmarks_shaped.motif_letter,
    "reversed": _reversed,
    "tilted_box": _tilted_box,
    "bracketed": _bracketed,
    "poster": _poster,
    "underlined": _underlined,
    "split_rule": _split_rule,
    "motif_above": _motif_above,
    "swash": wordmarks_shaped.swash,
    "arched": wordmarks_shaped.arched,
    "shadowed": wordmarks_shaped.shadowed,
    "banner": wordmarks_shaped.banner,
    "hopping": wordmarks_shaped.hopping,
    "smile": wordmarks_shaped.smile,
    "altered": wordmarks_altered.altered,
    "dotted_i": wordmarks_altered.dotted_i,
    "stairs": wordmarks_altered.stairs,
    "between": wordmarks_altered.between,
    "window": wordmarks_altered.window_frame,
}
