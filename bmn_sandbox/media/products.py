"""Product mockups: the product that the prompt names, with the logo that was sent, as a PNG of 1024 by 1024."""

import io
import re
from collections.abc import Callable

from PIL import Image

from bmn_sandbox.media import apparel, bags, headwear, objects, prints
from bmn_sandbox.media.canvas import SIZE, covered
from bmn_sandbox.media.color import Color, color_named, colors_in
from bmn_sandbox.media.cutout import marked
from bmn_sandbox.media.inks import accents
from bmn_sandbox.media.placement import read_logo
from bmn_sandbox.media.scene import Scene

Drawing = Callable[[Scene], Image.Image]

_NEUTRAL = Color(112, 124, 140)

# Which words mean which product. The word that stands first in the prompt decides.
_PRODUCTS: dict[str, Drawing] = {
    r"mugs?|cups?|tumblers?|coffee|tea": objects.mug,
    r"t-?\s?shirts?|tees?|shirts?|tank tops?|jerseys?|polos?": apparel.tshirt,
    r"hoodies?|sweat-?shirts?|sweaters?|jumpers?|jackets?": apparel.hoodie,
    r"totes?|tote bags?|canvas bags?|backpacks?": bags.tote,
    r"caps?|hats?|beanies?|snapbacks?": headwear.cap,
    r"posters?|prints?|art prints?|canvas|banners?|flyers?": prints.poster,
    r"stickers?|decals?|labels?|badges?": prints.stickers,
    r"bottles?|flasks?|thermos": objects.bottle,
    r"boxe?s?|packaging|cartons?|packages?|mailers?": objects.box,
    r"notebooks?|journals?|planners?|diar(?:y|ies)|books?": objects.notebook,
}
_WORDS = [(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), drawing) for words, drawing in _PRODUCTS.items()]


def product_of(prompt: str) -> Drawing:
    """The drawing of the product that a prompt names; a carrier bag where it names none we know."""
    named = [(found.start(), drawing) for pattern, drawing in _WORDS if (found := pattern.search(prompt))]
    return min(named, key=lambda pair: pair[0])[1] if named else bags.carrier_bag


def mockup(logo_png: bytes | None, prompt: str) -> bytes:
    """Draws a product with a logo on it.

    logo_png: any picture Pillow reads, its even background is removed; None leaves the product blank.
    prompt: names the product, and may name its color ("a black hoodie") and brand colors.
    Raises OSError where the logo is no picture.
    """
    logo = read_logo(logo_png) if logo_png else None
    palette = colors_in(prompt) or (accents(logo.art) if logo else []) or [_NEUTRAL]
    vivid = sorted(palette, key=lambda color: color.saturation < 0.15)  # grays last, else as they came
    draw = product_of(prompt)
    drawing = draw(Scene(logo, tuple(vivid), color_named(prompt)))
    return _saved(marked(drawing, covered(drawing), draw.__name__), "png")


def reshaped(png: bytes, width: int, height: int, file_format: str = "png") -> bytes:
    """A picture at another size and format (png, jpeg, webp); what its shape lacks is filled with its blurred backdrop."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    if (width, height) != image.size:
        image = _reframed(image, width, height)
    return _saved(image, file_format)


def _reframed(image: Image.Image, width: int, height: int) -> Image.Image:
    side = min(width, height)
    square = image.resize((side, side), Image.Resampling.LANCZOS)
    if width == height:
        return square
    # A thin border of the picture, stretched over the whole, is the backdrop without the product.
    ground = image.resize((6, 6), Image.Resampling.BOX).resize((width, height), Image.Resampling.BICUBIC)
    edge = max(8, side // 16)
    feather = Image.new("L", (side, side), 0)
    feather.paste(255, (edge, edge, side - edge, side - edge))
    feather = feather.resize((64, 64), Image.Resampling.BOX).resize((side, side), Image.Resampling.BICUBIC)
    ground.paste(square, ((width - side) // 2, (height - side) // 2), feather)
    return ground


def coarse(picture: bytes, side: int, file_format: str = "png") -> bytes:
    """The same picture with only `side` pixels of detail across: what a first preview shows."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    small = image.resize((side, max(1, round(side * image.height / image.width))), Image.Resampling.BOX)
    return _saved(small.resize(image.size, Image.Resampling.BICUBIC), file_format)


def _saved(image: Image.Image, file_format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format.upper(), compress_level=4, quality=90)
    return out.getvalue()


__all__ = ["SIZE", "coarse", "mockup", "product_of", "reshaped"]
