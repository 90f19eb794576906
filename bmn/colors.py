"""What people call a color: `brown`, `dark green`. For questions and answers, where a code would say nothing."""

import colorsys

# Where a hue ends, in degrees, and what it is called.
_HUES = (
    (15, "red"),
    (45, "orange"),
    (68, "yellow"),
    (165, "green"),
    (195, "turquoise"),
    (255, "blue"),
    (290, "purple"),
    (345, "pink"),
    (361, "red"),
)
_GREY, _COLORED = 0.08, 0.12  # chroma of what has no hue, of what has one


def color_name(code: str) -> str:
    """The plain name of a color. code: like `#6F4E37`."""
    red, green, blue = (int(code[place : place + 2], 16) / 255 for place in (1, 3, 5))
    hue, light, _ = colorsys.rgb_to_hls(red, green, blue)
    if light > 0.93:
        return "white"
    if light < 0.08:
        return "black"
    if max(red, green, blue) - min(red, green, blue) < _GREY:
        return _shade(light, "grey")
    name = next(name for end, name in _HUES if hue * 360 < end)
    if name == "orange" and light < 0.45:
        return "brown"
    if name == "orange" and light > 0.75:
        return "beige"
    return _shade(light, name)


def main_color(palette: list[str]) -> str:
    """What a palette is called by: the name of its first color that has a hue, else of its first."""
    for code in palette:
        parts = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        if max(parts) - min(parts) >= _COLORED:
            return color_name(code)
    return color_name(palette[0])


def _shade(light: float, name: str) -> str:
    if light < 0.28:
        return f"dark {name}"
    return f"light {name}" if light > 0.75 else name
