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


WHITE = Color(255, 255, 255)
BLACK = Color(18, 18, 22)


def colors_in(text: str) -> list[Color]:
    """The colors that a text writes as `#rrggbb` or `#rgb`, in order."""
    return [Color.parse(found) for found in _HEX.findall(text)]


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
