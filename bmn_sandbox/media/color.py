"""Colors, and how well one reads on another."""

import re
from typing import NamedTuple

_HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")


class Color(NamedTuple):
    """Red, green, blue, 0..255."""

    red: int
    green: int
    blue: int

    def mixed(self, other: "Color", share: float) -> "Color":
        """This color with `share` (0..1) of another in it."""
        return Color(*(round(a + (b - a) * share) for a, b in zip(self, other, strict=True)))

    @property
    def luminance(self) -> float:
        """How light it looks, 0 (black) to 1 (white)."""
        return (0.2126 * self.red + 0.7152 * self.green + 0.0722 * self.blue) / 255

    @property
    def saturation(self) -> float:
        return (max(self) - min(self)) / 255

    @classmethod
    def parse(cls, text: str) -> "Color":
        """From `#1a2b3c` or `#abc`."""
        digits = text.lstrip("#")
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        return cls(int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16))


_NAMED = {
    "white": Color(255, 255, 255), "black": Color(30, 30, 34), "charcoal": Color(58, 60, 66), "gray": Color(150, 154, 160),
    "grey": Color(150, 154, 160), "cream": Color(240, 231, 214), "beige": Color(222, 205, 178), "brown": Color(92, 64, 46),
    "red": Color(190, 38, 44), "orange": Color(226, 118, 40), "yellow": Color(240, 196, 60), "green": Color(46, 110, 72),
    "olive": Color(98, 104, 62), "teal": Color(24, 116, 120), "blue": Color(42, 92, 168), "navy": Color(28, 42, 78),
    "purple": Color(98, 62, 140), "pink": Color(238, 160, 184),
}  # fmt: skip
_THING = (
    r"(?:product|mug|cup|tumbler|t-?shirt|tee|shirt|polo|hoodie|sweat-?shirt|sweater|jacket|tote|bag|cap|hat|beanie|"
    r"bottle|flask|box|carton|notebook|journal|planner|poster)"
)
_COLORED = re.compile(rf"\b({'|'.join(_NAMED)})\s+(?:\w+\s+)?{_THING}s?\b", re.IGNORECASE)

WHITE = Color(255, 255, 255)
BLACK = Color(18, 18, 22)


def colors_in(text: str) -> list[Color]:
    """The colors that a text writes as `#rrggbb` or `#rgb`, in order."""
    return [Color.parse(found) for found in _HEX.findall(text)]


def color_named(text: str) -> Color | None:
    """The color of a thing that a text names together: "a navy hoodie", "white ceramic mug"."""
    found = _COLORED.search(text)
    return _NAMED[found[1].lower()] if found else None


def contrast(one: Color, other: Color) -> float:
    """The WCAG ratio, 1 (not to be told apart) to 21."""
    light, dark = sorted((linear_luminance(one), linear_luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def linear_luminance(color: Color) -> float:
    """Relative luminance by WCAG, 0..1."""
    linear = [(v / 255 / 12.92) if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def distance(one: Color, other: Color) -> float:
    """How far apart two colors are, 0..765."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))
