"""The drawings: each variation and style its own, the brand's colours, any name."""

import itertools

import pytest
from PIL import Image, ImageChops, ImageStat

from bmn_sandbox.media.brief import KITS, read_brief
from bmn_sandbox.media.canvas import Colour
from bmn_sandbox.media.logos import LAYOUTS, render_logo
from bmn_sandbox.media.motif_words import TAGLINES, motifs_for
from bmn_sandbox.media.motifs import MOTIFS
from bmn_sandbox.media.palette import contrast, make_palette

VARIATIONS = {
    "icon": "Icon-focused design with abstract symbol",
    "lettermark": "Lettermark design using brand initials",
    "emblem": "Emblem or badge style",
    "wordmark": "Modern minimalist wordmark",
    "combination": "Combination mark (symbol + text)",
    "geometric": "Geometric abstract logo",
    "organic": "Organic hand-drawn feel",
    "negative": "Negative space design",
}
SMALL = (256, 256)


def prompt(
    name: str = "Acme Coffee", style: str = "modern", kind: str = "icon", colours: str = "#6F4E37, #D4A574"
) -> str:
    return (
        f'Professional brand logo for "{name}". Style: {style}. Colors: {colours}. Brand vision: honest work. '
        f"Clean vector-style logo on white background. Variation: {VARIATIONS[kind]}."
    )


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures' pixels, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


@pytest.mark.parametrize("kind", VARIATIONS)
def test_a_variation_is_understood(kind: str) -> None:
    assert read_brief(prompt(kind=kind), 1).kind == kind


def test_every_variation_has_a_composition_of_its_own() -> None:
    drawn = {kind: render_logo(prompt(kind=kind), 3, SMALL) for kind in LAYOUTS}
    for one, other in itertools.combinations(drawn, 2):
        assert difference(drawn[one], drawn[other]) > 4, (one, other)


@pytest.mark.parametrize("kind", ["icon", "lettermark", "emblem", "wordmark", "combination"])
def test_every_style_looks_different(kind: str) -> None:
    drawn = {style: render_logo(prompt(style=style, kind=kind), 3, SMALL) for style in KITS}
    for one, other in itertools.combinations(drawn, 2):
        assert difference(drawn[one], drawn[other]) > 1.5, (one, other)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_logo_has_margins_and_the_brands_own_colours(kind: str) -> None:
    picture = render_logo(prompt(kind=kind), 5, SMALL)
    box = ImageChops.difference(picture, Image.new("RGB", SMALL, "white")).getbbox()
    assert box is not None
    assert min(box[0], box[1]) >= 12 and max(box[2], box[3]) <= 244, box
    found = {colour for _n, colour in picture.getcolors(1 << 20) or []}
    assert (0x6F, 0x4E, 0x37) in found or (0xD4, 0xA5, 0x74) in found


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize(
    "name",
    [
        "茶☕ عربي",
        "Ω",
        "",
        "A" * 100,
        "The Extraordinary Mountain Bicycle & Coffee Company of Aberdeen",
        "&",
        "Ünïçødé Ltd",
        "5",
    ],
)
def test_any_name_gives_a_picture(name: str, kind: str) -> None:
    style = list(KITS)[(len(name) + len(kind)) % len(KITS)]
    picture = render_logo(prompt(name, style, kind), 2, SMALL)
    box = ImageChops.difference(picture, Image.new("RGB", SMALL, "white")).getbbox()
    assert box is not None
    assert min(box[0], box[1]) >= 4 and max(box[2], box[3]) <= 252, (style, box)


def test_a_prompt_of_another_wording_gives_a_picture() -> None:
    assert render_logo("a fox", 1, (512, 320)).size == (512, 320)


def test_letters_that_no_typeface_has_are_left_out_and_understood_as_pictures() -> None:
    brief = read_brief(prompt("茶☕ عربي"), 1)
    assert brief.name == "" and brief.motif == "cup"
    assert read_brief(prompt("Sol 茶"), 1).title == "Sol"


def test_motifs_come_from_the_words_of_name_and_vision() -> None:
    assert motifs_for("Northwind", "")[:2] == ["wind", "compass"]
    assert set(motifs_for("Luna & Sol Yoga", "")) == {"lotus", "sun", "moon"}
    assert motifs_for("Hudson", "fresh bread every day")[-1] == "wheat"
    assert "wind" not in motifs_for("Fairway", "")
    assert set(TAGLINES) <= set(MOTIFS)


@pytest.mark.parametrize("colours", [["#ffffff"], ["#fdf6e3", "#fff3b0"], ["#000000"], ["#777777", "#787878"], []])
def test_the_ink_can_always_be_read(colours: list[str]) -> None:
    brief = read_brief(prompt(colours=", ".join(colours)), 1)
    palette = make_palette([Colour.parse(text) for text in colours], brief.rng)
    assert contrast(palette.ink, palette.paper) >= 3.5
    assert palette.accent != palette.ink
