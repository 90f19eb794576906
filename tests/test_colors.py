"""Colors in words."""

import pytest

from bmn.colors import color_name, main_color


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("#6F4E37", "brown"),
        ("#2D6A4F", "green"),
        ("#1B4332", "dark green"),
        ("#283618", "dark green"),
        ("#1D3557", "dark blue"),
        ("#E63946", "red"),
        ("#F2A541", "orange"),
        ("#F5E6D3", "beige"),
        ("#FFFFFF", "white"),
        ("#111111", "black"),
        ("#808080", "grey"),
        ("#FF69B4", "pink"),
        ("#5A189A", "purple"),
        ("#2A9D8F", "turquoise"),
    ],
)
def test_a_color_has_a_plain_name(code: str, name: str) -> None:
    assert color_name(code) == name


def test_a_palette_is_called_by_what_is_colored_in_it() -> None:
    assert main_color(["#FFFFFF", "#808080", "#6F4E37"]) == "brown"
    assert main_color(["#111111", "#EEEEEE"]) == "black"
