"""Products cut out of their pictures. A mockup keeps in its lowest bits where its product is and what it is, as vendors keep
their watermarks there; a picture that was made elsewhere, or saved with losses, is taken whole, as a print."""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from bmn_sandbox.media.color import WHITE

# What a mark names, how high it stands beside a T-shirt of 1.0, and whether it hangs or stands. Marks count by place.
KINDS: dict[str, tuple[float, bool]] = {
    "print": (0.85, False),
    "mug": (0.42, False),
    "tshirt": (1.0, True),
    "hoodie": (1.05, True),
    "tote": (0.98, True),
    "cap": (0.4, False),
    "poster": (1.05, True),
    "stickers": (0.62, True),
    "bottle": (0.72, False),
    "box": (0.56, False),
    "notebook": (0.62, False),
    "carrier_bag": (0.8, False),
}
_SLANTED = {"notebook": -9.0}  # drawn so many degrees from upright, as it lies on a table
_SIGN = tuple(int(bit) for bit in f"{0x9E3779B97F4A7C15:064b}")  # a row of bits that no picture has by chance
_KIND_BITS = 8
_LEAST = 24  # pixels a side of a product that can be seen


@dataclass(frozen=True, slots=True)
class Product:
    """art: RGBA, trimmed. height: beside a T-shirt of 1.0. hangs: from a wall, where others stand."""

    art: Image.Image
    kind: str
    height: float
    hangs: bool


def upright(product: Product) -> Product:
    """The product as it stands, where its picture has it lying."""
    if product.kind not in _SLANTED:
        return product
    art = product.art.rotate(_SLANTED[product.kind], Image.Resampling.BICUBIC, expand=True)
    alpha = np.asarray(art.getchannel("A")) > 128
    rows = alpha.sum(axis=1)
    solid = np.flatnonzero(rows > rows.max() * 0.4)  # a ribbon that hangs out is no foot to stand on
    columns = np.flatnonzero(alpha[solid[0] : solid[-1] + 1].any(axis=0))
    return replace(product, art=art.crop((columns[0], solid[0], columns[-1] + 1, solid[-1] + 1)))


def marked(drawing: Image.Image, where: Image.Image, kind: str) -> Image.Image:
    """The drawing, changed by nothing that anybody sees. where: a mask of its product. kind: one of KINDS."""
    bits = where.point([0] * 128 + [1] * 128)
    number = list(KINDS).index(kind)
    head = (*_SIGN, *(number >> place & 1 for place in range(_KIND_BITS)))
    for x, bit in enumerate(head):
        bits.putpixel((x, 0), bit)
    red, green, blue = drawing.split()
    even = blue.point([value & 0xFE for value in range(256)])
    return Image.merge("RGB", (red, green, ImageChops.add(even, bits)))


def cut_out(data: bytes) -> Product:
    """The product of a picture. Raises OSError for no picture."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGBA")
    found = _read(picture)
    if found is None:
        return _product(_as_print(picture), "print")
    where, kind = found
    picture.putalpha(where)
    box = where.getbbox()
    art = picture.crop(box) if box else picture
    return _product(art if min(art.size) >= _LEAST else _as_print(picture), kind)


def _product(art: Image.Image, kind: str) -> Product:
    height, hangs = KINDS[kind]
    return Product(art, kind, height, hangs)


def _read(picture: Image.Image) -> tuple[Image.Image, str] | None:
    """Where the product is and what it is; None of a picture without a mark."""
    if picture.width <= len(_SIGN) + _KIND_BITS or picture.height < _LEAST:
        return None
    bits = picture.getchannel("B").point([value & 1 for value in range(256)])
    head = [int(bits.getpixel((x, 0)) or 0) for x in range(len(_SIGN) + _KIND_BITS)]  # type: ignore[arg-type]
    number = sum(bit << place for place, bit in enumerate(head[len(_SIGN) :]))
    if tuple(head[: len(_SIGN)]) != _SIGN or number >= len(KINDS):
        return None
    where = bits.point([0, *[255] * 255])
    where.paste(0, (0, 0, picture.width, 1))
    where = where.filter(ImageFilter.MinFilter(3)).filter(
        ImageFilter.BoxBlur(0.7)
    )  # its rim has some of the backdrop in it
    return where, list(KINDS)[number]


def _as_print(picture: Image.Image) -> Image.Image:
    """The whole picture on white, with a rim, as it would come from a printer."""
    side = 640
    flat = Image.new("RGBA", picture.size, (*WHITE, 255))
    flat.alpha_composite(picture)
    flat.thumbnail((side, side))
    rim = max(6, max(flat.size) // 40)
    card = Image.new("RGBA", (flat.width + 2 * rim, flat.height + 2 * rim), (*WHITE, 255))
    card.paste(flat, (rim, rim))
    shape = Image.new("L", (card.width * 2, card.height * 2), 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, shape.width - 1, shape.height - 1), rim, fill=255)
    card.putalpha(shape.reduce(2))
    return card


def main_color(product: Product) -> tuple[int, int, int]:
    """What most of a product looks like."""
    red, green, blue = ImageStat.Stat(product.art.convert("RGB"), product.art.getchannel("A")).mean
    return round(red), round(green), round(blue)
