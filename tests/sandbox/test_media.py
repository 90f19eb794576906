"""The pictures themselves: the right product, the logo on it, in a form that players and browsers read."""

import io

import pytest
from PIL import Image, ImageDraw

from bmn_sandbox.media import apparel, objects
from bmn_sandbox.media.bundle import STYLES, bundle
from bmn_sandbox.media.color import WHITE, Color
from bmn_sandbox.media.placement import read_logo, readable
from bmn_sandbox.media.products import Drawing, mockup, product_of, reshaped
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
    drawn = mockup(logo_png(), prompt)
    assert opened(drawn).size == (1024, 1024)
    assert share_of_ink(drawn) > 0.008
    assert share_of_ink(mockup(None, prompt)) == 0


@pytest.mark.parametrize(
    ("prompt", "drawing"),
    [
        ("Ceramic Coffee Mug (Drinkware)", objects.mug),
        ("Unisex Heavy Cotton T-Shirt, packed in a box", apparel.tshirt),
        ("Snapback cap. Capture the light.", apparel.cap),
        ("Gift boxes", objects.box),
        ("Wireless charger", objects.carrier_bag),
    ],
)
def test_the_word_that_comes_first_names_the_product(prompt: str, drawing: Drawing) -> None:
    assert product_of(prompt) is drawing


def test_the_same_order_is_the_same_picture() -> None:
    assert mockup(logo_png(), "A mug") == mockup(logo_png(), "A mug")


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


def test_a_logo_is_not_printed_on_its_own_color() -> None:
    logo = read_logo(logo_png())
    navy = Color(16, 24, 60)
    assert readable(logo, [Color(*INK)]) == WHITE
    assert readable(logo, [Color(*INK), navy]) == navy


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
    assert share_of_ink(composed) > 0.05


def test_another_shape_keeps_the_product_whole() -> None:
    wide = opened(reshaped(mockup(logo_png(), "A mug"), 1536, 1024, "jpeg"))
    assert (wide.size, wide.format) == ((1536, 1024), "JPEG")
