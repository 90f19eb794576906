"""The pictures themselves: the right product, the logo on it, in a form that players and browsers read."""

import io
import random
from itertools import groupby, pairwise

import av
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from bmn_sandbox.media import apparel, bags, headwear, objects
from bmn_sandbox.media.bundle import STYLES, bundle
from bmn_sandbox.media.color import WHITE, Color, contrast
from bmn_sandbox.media.cuboid import foot_of_carton, turned_carton
from bmn_sandbox.media.cutout import KINDS, cut_out, main_color, marked, upright
from bmn_sandbox.media.inks import changed_for, inks_of, printed, readable, touching
from bmn_sandbox.media.logo.palette import Palette, make_palette
from bmn_sandbox.media.objects import MUG_FOOT, MUG_RADIUS, MUG_TOP
from bmn_sandbox.media.placement import Logo, read_logo
from bmn_sandbox.media.placing import sized
from bmn_sandbox.media.products import Drawing, mockup, product_of, reshaped
from bmn_sandbox.media.scene import CREAM, KRAFT, PORCELAIN, Scene
from bmn_sandbox.media.turning import turner
from bmn_sandbox.media.video import video
from bmn_sandbox.sheets import PALETTES
from tests.kit.pictures import INK, logo_png, opened, share_of_ink

PRODUCTS = [
    "mug", "T-shirt", "tote bag", "cap", "poster", "sticker", "bottle", "box", "notebook", "hoodie", "phone stand"
]  # fmt: skip


def as_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_shows_the_logo(product: str) -> None:
    prompt = f"Professional product mockup photograph: {product}. Brand colors: #2a9d8f."
    drawn, blank = (opened(mockup(logo, prompt)).convert("RGB") for logo in (logo_png(), None))
    assert drawn.size == (1024, 1024)
    changed = ImageChops.difference(drawn, blank).convert("L").point([0] * 40 + [255] * 216)
    assert ImageStat.Stat(changed).mean[0] / 255 > 0.008


@pytest.mark.parametrize(
    ("prompt", "drawing"),
    [
        ("Ceramic Coffee Mug (Drinkware)", objects.mug),
        ("Unisex Heavy Cotton T-Shirt, packed in a box", apparel.tshirt),
        ("Snapback cap. Capture the light.", headwear.cap),
        ("Gift boxes", objects.box),
        ("Wireless charger", bags.carrier_bag),
    ],
)
def test_the_word_that_comes_first_names_the_product(prompt: str, drawing: Drawing) -> None:
    assert product_of(prompt) is drawing


def test_the_same_order_is_the_same_picture() -> None:
    once, again = (mockup(logo_png(), "A T-shirt") for _ in range(2))
    assert once == again
    assert bundle([once], "A flatlay") == bundle([again], "A flatlay")


def test_an_even_background_is_lifted_off_a_logo() -> None:
    logo = read_logo(logo_png())
    assert logo.ground == WHITE
    assert logo.art.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert logo.art.getpixel((logo.art.width // 2, logo.art.height // 2)) == (*INK, 255)


def test_a_busy_background_stays() -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    logo = read_logo(as_png(noise))
    assert logo.ground is None
    assert logo.art.size == (64, 64)


def on(logo: Logo, ground: Color) -> Image.Image:
    return printed(logo, ground, inks_of(logo), changed_for(logo, ground))


def test_a_logo_is_printed_in_another_ink_where_its_own_does_not_read() -> None:
    logo = read_logo(logo_png())
    middle = (logo.art.width // 2, logo.art.height // 2)
    assert readable(logo, [Color(*INK)]) == INK
    assert on(logo, Color(*INK)).getpixel(middle) == (*WHITE, 255)
    assert on(logo, WHITE).getpixel(middle) == (*INK, 255)
    pale = on(logo, Color(*INK).mixed(WHITE, 0.4)).getpixel(middle)
    assert isinstance(pale, tuple) and sum(pale[:3]) < sum(INK)


def two_inks() -> bytes:
    """A red and a pink half of about the same size, on white."""
    image = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, 201, 340), fill=(185, 28, 28))
    draw.rectangle((202, 60, 340, 340), fill=(239, 110, 110))
    return as_png(image)


def test_a_logo_has_one_set_of_inks_on_a_color_however_large_it_is_printed() -> None:
    ground, logo = Color(185, 28, 28), read_logo(two_inks())
    scene = Scene(logo, (ground,))
    for side in (40.0, 61.0, 118.0, 260.0):
        art = scene.art(side, side, ground)
        assert art is not None
        left, right = (art.getpixel((art.width * part // 4, art.height // 2)) for part in (1, 3))
        assert left == (*WHITE, 255), "what most of it is, is white on a ground that it does not read on"
        assert isinstance(right, tuple) and min(right[:3]) > 60 and right[0] > right[1], "the rest is a tone of that"


def test_a_logo_keeps_its_inks_on_what_is_about_its_own_ground() -> None:
    logo = read_logo(two_inks())
    for ground in (WHITE, CREAM, PORCELAIN):
        assert on(logo, ground) is logo.art


def four_tiles(ink: Color, accent: Color, soft: Color) -> tuple[Logo, list[tuple[tuple[int, int], tuple[int, int]]]]:
    """Tiles that touch, a letter on each; and for each where its letter is, and a place of the tile."""
    roles = Palette(ink, accent, soft).roles()
    image = Image.new("RGB", (480, 480), "white")
    draw, places = ImageDraw.Draw(image), []
    for number, (ground, letter) in enumerate(
        ((ink, WHITE), (soft, roles["on_soft"]), (accent, roles["on_accent"]), (ink, WHITE))
    ):
        x, y = 40 + number % 2 * 200, 40 + number // 2 * 200
        draw.rectangle((x, y, x + 199, y + 199), fill=tuple(ground))
        draw.rectangle((x + 70, y + 60, x + 130, y + 140), fill=tuple(letter))
        places.append(((x + 100 - 40, y + 100 - 40), (x + 30 - 40, y + 30 - 40)))
    return read_logo(as_png(image)), places


@pytest.mark.parametrize("written", PALETTES)
def test_letters_are_read_on_their_own_tiles_whatever_a_logo_is_printed_on(written: str) -> None:
    palette = make_palette([Color.parse(text) for text in written.split(", ")], random.Random(1))
    logo, places = four_tiles(palette.ink, palette.accent, palette.soft)
    for ground in (palette.ink, palette.accent, KRAFT, Color(16, 16, 20), Color(190, 38, 44)):
        art = on(logo, ground)
        dx, dy = (art.width - logo.art.width) // 2, (art.height - logo.art.height) // 2
        shown = Image.new("RGBA", art.size, (*ground, 255))
        shown.alpha_composite(art)
        for places_of in places:
            letter, tile = (Color(*shown.getpixel((x + dx, y + dy))[:3]) for x, y in places_of)  # type: ignore[index]
            assert contrast(letter, tile) >= 2.99, (ground, letter, tile)


def test_a_logo_whose_tiles_would_run_together_keeps_its_inks_within_a_thin_line() -> None:
    logo, places = four_tiles(Color(185, 28, 28), Color(253, 230, 138), Color(236, 110, 110))
    art = on(logo, Color(185, 28, 28))
    aside, middle = (art.width - logo.art.width) // 2, art.height // 2
    assert 0 < aside < 0.04 * art.width, "no card stands out around it"
    assert art.getpixel((aside - 2, middle)) == (*WHITE, 255) and art.getpixel((0, middle))[3] == 0  # type: ignore[index]
    for letter, tile in places:
        for x, y in (letter, tile):
            shown, came = art.getpixel((x + aside, y + aside)), logo.art.getpixel((x, y))
            assert shown == (came if came[3] == 255 else (*WHITE, 255))  # type: ignore[index]


def a_tile(tile: bool) -> bytes:
    """A dark tile from which bars are cut out as letters are; or the bars alone, dark."""
    image = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(image)
    if tile:
        draw.rounded_rectangle((40, 40, 360, 360), 50, fill=(31, 58, 95))
    for x in (110, 190, 270):
        draw.rectangle((x, 130, x + 40, 270), fill="white" if tile else (31, 58, 95))
    return as_png(image)


@pytest.mark.parametrize("tile", [True, False])
def test_a_tile_on_cloth_of_its_own_color_is_the_cloth_and_its_letters_stand_on_it(tile: bool) -> None:
    cloth = Color(31, 58, 95)
    art = on(read_logo(a_tile(tile)), cloth)
    shown = Image.new("RGBA", art.size, (*cloth, 255))
    shown.alpha_composite(art)
    row = shown.convert("L").crop((0, art.height // 2, art.width, art.height // 2 + 1)).tobytes()
    light = [len(list(run)) for is_light, run in groupby(value > 200 for value in row) if is_light]
    assert [width for width in light if width > 12] == [41, 41, 41], "letters are light, what is around them is cloth"


def test_the_edges_of_letters_are_no_ink_that_touches_them() -> None:
    image = Image.new("RGB", (600, 600), "white")
    draw = ImageDraw.Draw(image)
    for x in range(60, 540, 60):
        draw.ellipse((x, 200, x + 44, 330), fill=(31, 58, 95))
    draw.rectangle((60, 400, 300, 430), fill=(242, 165, 65))
    logo = read_logo(as_png(image.resize((300, 300), Image.Resampling.LANCZOS)))
    inks = inks_of(logo)
    assert len(inks) == 2 and (0, 1) not in touching(logo, inks)
    assert changed_for(logo, Color(31, 58, 95)) == [WHITE, inks[1]]


def test_a_picture_is_printed_as_it_is() -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    logo = read_logo(as_png(noise))
    assert on(logo, WHITE) is logo.art


def _most_of(product: str) -> tuple[int, int, int]:
    return main_color(cut_out(mockup(logo_png(), f"Product mockup: {product}. Brand colors: #2a9d8f.")))


def test_products_come_in_the_brands_colors_and_in_the_one_that_is_asked_for() -> None:
    red, green, blue = _most_of("T-shirt")
    assert green > red + 40 and blue > red + 40
    assert max(_most_of("a black T-shirt")) < 90 and min(_most_of("a white cotton T-shirt")) > 200


def test_a_white_logo_goes_on_the_dark_it_was_drawn_on() -> None:
    image = Image.new("RGB", (96, 96), (11, 19, 43))
    ImageDraw.Draw(image).rectangle((30, 30, 66, 66), fill="white")
    assert readable(read_logo(as_png(image)), []) == (11, 19, 43)


@pytest.mark.full
@pytest.mark.parametrize(
    "strange", [Image.new("RGBA", (40, 40)), Image.new("L", (1, 1), 0), Image.new("RGB", (3, 900))]
)
def test_odd_logos_are_drawn_too(strange: Image.Image) -> None:
    assert opened(mockup(as_png(strange), "A mug")).size == (1024, 1024)


@pytest.mark.full
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [1, 2, 10])
def test_every_style_shows_every_picture(style: str, count: int) -> None:
    composed = bundle([logo_png()] * count, f"A {style} layout, #1d3557")
    assert opened(composed).size == (1024, 1024)
    assert share_of_ink(composed) > 0.03


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_product_is_cut_out_of_its_picture(product: str) -> None:
    drawn = mockup(logo_png(), f"Product mockup: {product}. Brand colors: #2a9d8f.")
    found = cut_out(drawn)
    kind = product_of(product).__name__
    assert (found.kind, found.hangs) == (kind, KINDS[kind].hangs)
    alpha = found.art.getchannel("A")
    (empty, full), pixels = alpha.getextrema(), alpha.histogram()
    assert (empty, full) == (0, 255), "its ground is gone, itself is whole"
    assert sum(pixels[128:]) > 0.1 * alpha.width * alpha.height and max(found.art.size) < 1000
    assert found.art.getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_what_lies_aslant_in_its_picture_stands_upright_in_a_scene() -> None:
    lying = cut_out(mockup(logo_png(), "A notebook, #2a9d8f"))
    standing = upright(lying).art.getchannel("A")
    columns = [standing.crop((x, 0, x + 1, standing.height)) for x in (standing.width // 4, standing.width * 3 // 4)]
    for column in columns:
        box = column.point([0] * 128 + [255] * 128).getbbox()
        assert box is not None and box[1] < standing.height * 0.03 and box[3] > standing.height * 0.97, box
    mug = cut_out(mockup(logo_png(), "A mug, #2a9d8f"))
    assert upright(mug) is mug


def test_the_mark_of_a_product_is_seen_by_nobody() -> None:
    drawn = opened(mockup(logo_png(), "A mug")).convert("RGB")
    again = marked(drawn, Image.new("L", drawn.size, 255), "box")
    assert max(high for _, high in ImageChops.difference(drawn, again).getextrema()) <= 1  # type: ignore[misc]
    assert cut_out(as_png(again)).kind == "box"


def test_a_picture_without_a_mark_is_shown_whole_as_a_print() -> None:
    jpeg = io.BytesIO()
    opened(mockup(logo_png(), "A mug")).convert("RGB").save(jpeg, "JPEG")
    for strange in (jpeg.getvalue(), logo_png(), as_png(Image.new("L", (3, 2), 9))):
        assert cut_out(strange).kind == "print"


def test_what_stands_in_a_bundle_is_no_square_picture() -> None:
    """Between a mug and the edge of its own picture one sees the scene, not the picture's backdrop."""
    mug = mockup(logo_png(), "A mug, #2a9d8f")
    scenes = {style: opened(bundle([mug, mug], f"A {style} layout, #2a9d8f")).convert("RGB") for style in STYLES}
    assert len({scene.tobytes() for scene in scenes.values()}) == len(STYLES)
    wood = scenes["lifestyle"].getpixel((512, 1000))
    assert isinstance(wood, tuple) and wood[0] > wood[2] + 40, "the table reaches up to the foot of the mugs"


def _frames(prompt: str) -> list[Image.Image]:
    clip = video(mockup(logo_png(), "A mug, #2a9d8f"), 3, 640, 360, f"{prompt}, #2a9d8f")
    with av.open(io.BytesIO(clip)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("style", ["showcase", "unboxing", "lifestyle", "minimal"])
def test_a_film_moves_and_has_no_seams(style: str) -> None:
    film = _frames(style)
    frames = film[::12]
    assert {frame.size for frame in frames} == {(640, 360)}
    moved = [ImageChops.difference(one, other).convert("L") for one, other in pairwise(frames)]
    assert sum(max(diff.getextrema()) > 20 for diff in moved) >= len(moved) - 2  # type: ignore[type-var]
    wall = frames[-1].crop((0, 8, 640, 9)).convert("L")
    steps = [abs(int(wall.getpixel((x, 0))) - int(wall.getpixel((x + 1, 0)))) for x in range(639)]  # type: ignore[arg-type]
    assert style == "lifestyle" or max(steps) <= 6, "its wall runs from edge to edge"
    assert _apart(film[-12], film[-1]) < 1, "its end stays for half a second"
    assert _apart(film[-1], film[0]) < 3, "it begins where it ends"


def _apart(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures differ on average, of 255."""
    return ImageStat.Stat(ImageChops.difference(one, other).convert("L")).mean[0]


@pytest.mark.parametrize("product", ["mug", "bottle"])
def test_the_print_of_a_round_thing_moves_around_it_while_its_outline_stays(product: str) -> None:
    found = cut_out(mockup(logo_png(), f"Product mockup: a white {product}. Brand colors: #2a9d8f."))
    turned = turner(found, sized(found.art, 300))

    def middle_of_print(degrees: float) -> float:
        seen = turned(degrees).convert("RGB")
        red, green, _blue = (band.point([v // 2 for v in range(256)]) for band in seen.split())
        far = ImageChops.subtract(red, green, offset=0).point([0] * 60 + [255] * 196)
        box = far.getbbox()
        assert box is not None
        return (box[0] + box[2]) / 2

    assert middle_of_print(-30) < middle_of_print(0) - 10 < middle_of_print(30) - 20
    body = (0, 0, round(found.art.width * 0.6 * 300 / found.art.height), 300)
    outlines = {turned(degrees).getchannel("A").crop(body).tobytes() for degrees in (-30, 0, 30)}
    assert len(outlines) == 1


@pytest.mark.parametrize("product", ["mug", "bottle"])
def test_a_round_thing_without_a_print_looks_the_same_from_all_sides(product: str) -> None:
    """No streaks go around it: neither of its light nor of what a handle hides."""
    found = cut_out(mockup(None, f"Product mockup: a white {product}. Brand colors: #2a9d8f."))
    turned = turner(found, sized(found.art, 300))
    still = turned(0).convert("RGB")
    height, body = (
        still.height,
        round(300 * MUG_RADIUS / (MUG_FOOT - MUG_TOP)) if product == "mug" else still.width // 2,
    )
    box = (still.width // 2 - body // 2, round(height * 0.4), still.width // 2 + body // 2, round(height * 0.8))
    for degrees in (-200, -240):  # where the handle is at a side or behind
        change = ImageChops.difference(still.crop(box), turned(degrees).convert("RGB").crop(box))
        assert max(high for _, high in change.getextrema()) <= 12, degrees  # type: ignore[misc]


def test_the_handle_of_a_mug_goes_along_and_behind_it() -> None:
    found = cut_out(mockup(logo_png(), "A mug, #2a9d8f"))
    turned = turner(found, sized(found.art, 200))

    def sides(degrees: float) -> tuple[bool, bool]:
        alpha = turned(degrees).getchannel("A")
        left, _top, right, _foot = alpha.getbbox() or (0, 0, 0, 0)
        body = 200 * MUG_RADIUS / (MUG_FOOT - MUG_TOP)
        return left < alpha.width / 2 - body - 9, right > alpha.width / 2 + body + 9

    assert [sides(degrees) for degrees in (0, -90, -180, -270, -360)] == [
        (False, True), (False, False), (True, False), (False, False), (False, True)
    ]  # fmt: skip
    assert turned(-90).tobytes() != turned(-270).tobytes(), "it is before the body once, and once behind it"


@pytest.mark.parametrize("degrees", [-28, 0, 28])
def test_a_carton_stands_on_its_shadow(degrees: int) -> None:
    """Each of the corners on which its shadow is drawn is one of its picture's."""
    art = sized(cut_out(mockup(logo_png(), "A box, #2a9d8f")).art, 320)
    alpha = turned_carton(art, degrees).getchannel("A")
    for x, y in foot_of_carton(art.width, degrees)[:3]:
        across, down = round(alpha.width / 2 + x), round(alpha.height + y)
        about = alpha.crop((across - 4, down - 4, across + 5, down + 5)).getextrema()
        assert about[0] < 40 and about[1] > 200  # type: ignore[operator]


def test_a_carton_turns_as_a_solid_thing() -> None:
    """Turned by nothing it is its own picture; turned, one face grows as the other shrinks, and no seam opens."""
    art = sized(cut_out(mockup(logo_png(), "A box, #2a9d8f")).art, 320)
    still = turned_carton(art, 0).convert("L").resize((40, 40), Image.Resampling.BOX)
    box = turned_carton(art, 0).getbbox()
    assert box is not None and abs((box[2] - box[0]) - art.width) < 0.06 * art.width
    widths = []
    for degrees in (-28, 0, 28):
        alpha = turned_carton(art, degrees).getchannel("A")
        assert all(_in_one_piece(row) for row in _rows(alpha)), degrees
        widths.append(turned_carton(art, degrees).convert("L").resize((40, 40), Image.Resampling.BOX).tobytes())
    assert len({*widths}) == 3 and still.tobytes() == widths[1]


def _rows(alpha: Image.Image) -> list[bytes]:
    return [alpha.crop((0, y, alpha.width, y + 1)).tobytes() for y in range(alpha.height)]


def _in_one_piece(row: bytes) -> bool:
    """Whether a row of a mask is seen in one piece."""
    solid = [value > 96 for value in row]
    return sum(one != other for one, other in pairwise([False, *solid, False])) <= 2


def test_another_shape_keeps_the_product_whole() -> None:
    wide = opened(reshaped(mockup(logo_png(), "A mug"), 1536, 1024, "jpeg"))
    assert (wide.size, wide.format) == ((1536, 1024), "JPEG")
