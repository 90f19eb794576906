"""Logos: each variation and style its own, each seed another drawing, the brand's colors, any name."""

import itertools
import math
import random
import time

import pytest
from PIL import Image, ImageChops, ImageStat

from bmn_sandbox.media.art import Fill
from bmn_sandbox.media.color import Color, contrast
from bmn_sandbox.media.faces import OTHER_SCRIPTS, Face, faces_for
from bmn_sandbox.media.lettering import on_circle, set_line
from bmn_sandbox.media.logo.brief import KINDS, STYLES, read_brief
from bmn_sandbox.media.logo.frames import FORMS_OF
from bmn_sandbox.media.logo.logos import LAYOUTS, designed, render_logo
from bmn_sandbox.media.logo.motif_words import motifs_for
from bmn_sandbox.media.logo.palette import make_palette
from bmn_sandbox.media.logo.typeset import padded
from bmn_sandbox.media.logo.wordmarks import suits
from bmn_sandbox.media.logo.wordmarks_shaped import name_block
from bmn_sandbox.media.shapes import area
from bmn_sandbox.sheets import NAMES, PALETTES, logo_prompt
from tests.kit.pictures import differing_bits, fingerprint

SMALL = (256, 256)


def prompt(
    name: str = "Acme Coffee", style: str = "modern", kind: str = "icon", colors: str = "#6F4E37, #D4A574"
) -> str:
    return logo_prompt(name, style, kind, colors)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures' pixels, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def ink_box(picture: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("kind", KINDS)
def test_a_variation_is_understood(kind: str) -> None:
    assert read_brief(prompt(kind=kind), 1).kind == kind


def test_every_variation_has_a_composition_of_its_own() -> None:
    drawn = {kind: render_logo(prompt(kind=kind), 3, SMALL) for kind in LAYOUTS}
    for one, other in itertools.combinations(drawn, 2):
        assert difference(drawn[one], drawn[other]) > 4, (one, other)


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_every_style_looks_different(kind: str) -> None:
    drawn = {style: render_logo(prompt(style=style, kind=kind), 3, SMALL) for style in STYLES}
    for one, other in itertools.combinations(drawn, 2):
        assert difference(drawn[one], drawn[other]) > 1.5, (one, other)


def test_the_same_prompt_and_seed_are_the_same_picture() -> None:
    once, again = (render_logo(prompt(kind="emblem"), 11, SMALL) for _ in range(2))
    assert once.tobytes() == again.tobytes()


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_each_seed_is_another_drawing(kind: str) -> None:
    for style in STYLES:
        drawn = [render_logo(prompt(style=style, kind=kind), seed, SMALL) for seed in (21, 22, 23, 24)]
        assert len({picture.tobytes() for picture in drawn}) == 4, (style, kind)


@pytest.mark.full
def test_no_two_of_a_hundred_logos_of_25_names_are_alike_at_64_pixels() -> None:
    kinds = list(KINDS)
    rng = random.Random(2)
    prints = []
    for index, name in enumerate(NAMES):
        for number in range(4):
            kind, style = kinds[(index * 3 + number) % 8], STYLES[index % 5]
            asked = prompt(name, style, kind, PALETTES[index % len(PALETTES)])
            prints.append(((name, style, kind), fingerprint(render_logo(asked, rng.randrange(2**31), SMALL))))
    assert len(prints) == 100
    for (first, one), (second, other) in itertools.combinations(prints, 2):
        assert differing_bits(one, other) > 16, (first, second)


@pytest.mark.parametrize("style", STYLES)
def test_the_logos_of_a_set_are_framed_in_different_forms(style: str) -> None:
    for name in NAMES:
        hands = [set(read_brief(prompt(name, style, kind), 5).forms) for kind in ("icon", "lettermark", "emblem")]
        for one, other in itertools.combinations(hands, 2):
            assert not one & other, (name, one & other)
        assert all(hand & set(FORMS_OF[style]) for hand in hands), name


def test_the_logos_of_a_set_mostly_show_different_drawings() -> None:
    """Whatever the seeds of a set are: it is drawn one by one, and only the name says which is whose."""
    apart = []
    for seed, name in itertools.product(range(20), NAMES):
        icon, badge = (
            read_brief(prompt(name, "modern", kind), seed * 7 + number)
            for number, kind in enumerate(("icon", "emblem"))
        )
        apart.append((icon.motifs[0], icon.version) != (badge.motifs[0], badge.version))
    assert sum(apart) / len(apart) > 0.75


@pytest.mark.parametrize(
    ("name", "design", "colors", "fits"),
    [
        ("Kite", "dotted_i", "#1f3a5f, #f2a541", True),
        ("Hudson", "dotted_i", "#1f3a5f, #f2a541", False),
        ("Marigold", "altered", "#14532d, #b91c1c", True),
        ("Marigold", "altered", "#1f3a5f, #f2e5c0", False),  # in ink, a letter that is raised looks like a mistake
        ("Kite", "stairs", "#1f3a5f, #f2a541", False),
        ("Volt Cycles", "between", "#1f3a5f, #f2a541", True),
        ("Old Town Barbers", "between", "#1f3a5f, #f2a541", False),
        ("قهوة الصباح", "stairs", "#1f3a5f, #f2a541", False),
    ],
)
def test_a_design_is_for_names_that_have_what_it_plays_with(name: str, design: str, colors: str, fits: bool) -> None:
    assert suits(read_brief(prompt(name, "playful", "wordmark", colors), 1), design) is fits


def test_a_logo_is_drawn_in_well_under_a_second() -> None:
    render_logo(prompt(), 1, (1024, 1024))  # reads the typefaces
    started = time.process_time()
    for seed in range(8):
        render_logo(prompt(kind=list(KINDS)[seed]), seed, (1024, 1024))
    assert (time.process_time() - started) / 8 < 0.6


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_a_logo_has_margins_and_the_brands_own_colors(kind: str) -> None:
    picture = render_logo(prompt(kind=kind), 5, SMALL)
    box = ink_box(picture)
    assert min(box[0], box[1]) >= 12 and max(box[2], box[3]) <= 244, box
    found = {color for _n, color in picture.getcolors(1 << 20) or []}
    assert (0x6F, 0x4E, 0x37) in found or (0xD4, 0xA5, 0x74) in found


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_a_logo_stands_in_the_middle(kind: str) -> None:
    for seed in range(3):
        left, top, right, bottom = designed(read_brief(prompt("Northwind", "bold", kind), seed)).bounds()
        assert abs(left + right) / 2 < 40 and abs(top + bottom) / 2 < 40, (seed, left, top, right, bottom)


@pytest.mark.parametrize("kind", KINDS)
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
        "ሰላም ቡና",
        "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    ],
)
def test_any_name_gives_a_picture(name: str, kind: str) -> None:
    style = STYLES[(len(name) + len(kind)) % len(STYLES)]
    box = ink_box(render_logo(prompt(name, style, kind), 2, SMALL))
    assert min(box[0], box[1]) >= 4 and max(box[2], box[3]) <= 252, (style, box)


@pytest.mark.full
def test_a_long_name_can_be_read_at_64_pixels() -> None:
    """Its letters are several pixels tall there, in each style."""
    for style, seed in itertools.product(STYLES, range(4)):
        brief = read_brief(prompt("Montessori Academy of Portland", style, "wordmark"), seed)
        every = designed(brief).recolored({"paper": "ink"}).boxes()
        boxes = [box for box in every if box[3] - box[1] < 300 and box[2] - box[0] < 300]
        tallest = max(bottom - top for _left, top, _right, bottom in boxes)
        assert tallest * 64 / 1000 >= 4, (style, seed, tallest)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_logo_has_air_around_it(kind: str, style: str) -> None:
    """A tenth of the sheet on each side, more of it around what is square, so that all look equally large."""
    for seed, name in enumerate(("Kite", "Fox & Anchor", "Montessori Academy of Portland")):
        for number in range(3):
            left, top, right, bottom = designed(read_brief(prompt(name, style, kind), 10 * seed + number)).bounds()
            assert min(left, top) >= -416 and max(right, bottom) <= 416, (name, seed, number)
            assert math.sqrt((right - left) * (bottom - top)) <= 641, (name, seed, number)


@pytest.mark.parametrize("name", ["Kite", "Bloomfield Gardens", "Montessori Academy of Portland", "山茶咖啡"])
@pytest.mark.parametrize("style", STYLES)
def test_letters_keep_off_the_edge_of_their_tile(style: str, name: str) -> None:
    brief = read_brief(prompt(name, style, "wordmark"), 3)
    set_ = name_block(brief, 640, 420)
    x, y = padded(set_)
    line = min(each.height for each in set_.lines)
    assert x - set_.width / 2 >= max(0.6 * line, 0.14 * set_.width)
    assert y - set_.height / 2 >= max(0.6 * line, 60)


@pytest.mark.parametrize(
    ("name", "count"), [("Old Town Barbers", 3), ("Rocket Lab Kids", 3), ("Fox & Anchor", 2), ("Kite", 1)]
)
def test_no_word_loses_its_initial(name: str, count: int) -> None:
    assert len(read_brief(prompt(name), 1).initials) == count


def test_letters_on_a_curve_are_turned_and_never_bent() -> None:
    line = set_line(Face("Abril Fatface"), "Luna & Sol Yoga", 90)
    curved = [operation for operation in on_circle(line, 500, "ink").operations if isinstance(operation, Fill)]
    for glyph, letter in zip(line.glyphs, curved, strict=True):
        flat = sum(area(outline) for outline in glyph.outlines) * line.size**2
        assert sum(map(area, letter.outlines)) == pytest.approx(flat)


@pytest.mark.parametrize("script", ["Latin", *OTHER_SCRIPTS])
def test_no_face_is_too_thin_for_a_small_picture(script: str) -> None:
    """Its strokes are a pixel broad where its line is 16 pixels tall, as names are at 64."""
    for style in STYLES:
        for face in faces_for(style, script):
            assert face.weight >= 400, (style, face)


def test_no_words_but_the_name_are_in_a_picture_unless_they_were_asked_for() -> None:
    for name in NAMES:
        assert read_brief(prompt(name, "vintage", "emblem"), 1).tagline == ""
    asked = f'{prompt(style="vintage", kind="emblem")} Tagline: "Roasted on the roof".'
    assert read_brief(asked, 1).tagline == "Roasted on the roof"
    with_it, without = (render_logo(each, 9, SMALL) for each in (asked, prompt(style="vintage", kind="emblem")))
    assert with_it.size == without.size


def test_a_prompt_of_another_wording_gives_a_picture() -> None:
    assert render_logo("a fox", 1, (512, 320)).size == (512, 320)


def test_emoji_are_left_out_and_understood_as_pictures() -> None:
    brief = read_brief(prompt("☕"), 1)
    assert (brief.name, brief.unset, brief.motifs[0]) == ("", (), "cup")


@pytest.mark.parametrize(
    ("name", "motifs"),
    [
        ("Saffron Street Kitchen", ["pot"]),
        ("Support Hub", ["bubble"]),
        ("Careful Accounting", ["chart"]),
        ("Barking Mad Sandwiches", ["sandwich", "paw"]),
        ("Main Street Bakery", ["wheat"]),
        ("Montessori Academy of Portland", ["book"]),
        ("Northwind", ["wind", "compass"]),
        ("Acme Roasters", ["bean", "anvil"]),
        ("Baking Better", ["wheat"]),
        ("Fairway", []),
        ("Carpet Planet", ["globe"]),
        ("Restart", []),
        ("Inner Keystone", []),
        ("Кофейня Рассвет", ["sunrise", "cup"]),
        ("قهوة الصباح", ["sunrise", "cup"]),
        ("山茶咖啡", ["cup", "mountain"]),
    ],
)
def test_motifs_come_from_whole_words_and_stems(name: str, motifs: list[str]) -> None:
    assert motifs_for(name, "") == motifs


def test_motifs_come_from_the_vision_too() -> None:
    assert motifs_for("Hudson", "fresh bread every day")[-1] == "wheat"


@pytest.mark.parametrize("colors", [["#ffffff"], ["#fdf6e3", "#fff3b0"], ["#000000"], ["#777777", "#787878"], []])
def test_the_ink_can_always_be_read(colors: list[str]) -> None:
    brief = read_brief(prompt(colors=", ".join(colors)), 1)
    palette = make_palette([Color.parse(text) for text in colors], brief.rng)
    assert contrast(palette.ink, palette.paper) >= 3.5
    assert palette.accent != palette.ink


def test_no_color_is_invented_where_two_were_given() -> None:
    brown, teal, gold = (Color.parse(text) for text in ("#5A3825", "#2A9D8F", "#E9C46A"))
    for seed in range(6):
        palette = make_palette([brown, gold], random.Random(seed))
        assert (palette.ink, palette.accent) == (brown, gold)
        mixed = make_palette([teal, gold, Color.parse("#264653")], random.Random(seed))
        assert teal in (mixed.ink, mixed.accent)


@pytest.mark.parametrize("seed", range(4))
def test_type_is_read_on_every_ground_of_its_palette(seed: int) -> None:
    rng = random.Random(seed)
    drawn = [[Color(*(rng.randrange(256) for _ in range(3))) for _ in range(3)] for _ in range(40)]
    for colors in [*drawn, *([Color.parse(text) for text in each.split(", ")] for each in PALETTES)]:
        light = make_palette(colors, rng)
        for palette in (light, light.inverted()):
            roles = palette.roles()
            for ground, letter in (("accent", "on_accent"), ("soft", "on_soft"), ("ink", "paper")):
                assert contrast(roles[ground], roles[letter]) >= 3, (colors, ground)
        assert contrast(light.inverted().accent, light.inverted().paper) >= 3, colors


def test_a_logo_has_a_version_for_dark_ground() -> None:
    palette = read_brief(prompt(), 1).palette.inverted()
    assert contrast(palette.ink, palette.paper) > 4.5
    assert contrast(palette.accent, palette.paper) >= 2.2
