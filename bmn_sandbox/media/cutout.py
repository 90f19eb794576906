"""Products cut out of their pictures. A mockup keeps in its lowest bits where its product is and what it is, as vendors keep
their watermarks there; a picture that was made elsewhere, or saved with losses, is taken whole, as a print."""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from bmn_sandbox.media.color import WHITE

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Kind:
    """tall: in centimeters, as its picture shows it. print: where a logo may be on it, as shares of its picture."""

    tall: float
    hangs: bool
    print: Box


# What a mark names. Marks count by place.
KINDS: dict[str, Kind] = {
    "print": Kind(30, False, (0.0, 0.0, 1.0, 1.0)),
    "mug": Kind(9.5, False, (0.04, 0.26, 0.68, 0.92)),
    "tshirt": Kind(72, True, (0.29, 0.21, 0.71, 0.62)),
    "hoodie": Kind(78, True, (0.31, 0.26, 0.69, 0.7)),
    "tote": Kind(62, True, (0.17, 0.46, 0.83, 0.87)),
    "cap": Kind(16, False, (0.28, 0.18, 0.7, 0.66)),
    "poster": Kind(75, True, (0.1, 0.14, 0.9, 0.94)),
    "stickers": Kind(24, True, (0.0, 0.0, 1.0, 1.0)),
    "bottle": Kind(26, False, (0.13, 0.4, 0.87, 0.9)),
    "box": Kind(23, False, (0.03, 0.2, 0.97, 0.92)),
    "notebook": Kind(21, False, (0.16, 0.22, 0.8, 0.74)),
    "carrier_bag": Kind(36, False, (0.03, 0.24, 0.8, 0.94)),
}
_SLANTED = {"notebook": -9.0}  # drawn so many degrees from upright, as it lies on a table
_SIGN = tuple(int(bit) for bit in f"{0x9E3779B97F4A7C15:064b}")  # a row of bits that no picture has by chance
_KIND_BITS = 8
_LEAST = 24  # pixels a side of a product that can be seen


@dataclass(frozen=True, slots=True)
class Product:
    """art: RGBA, trimmed. kind: one of KINDS. kept: the part of the whole thing that art shows, where it is folded."""

    art: Image.Image
    kind: str
    kept: Box = (0.0, 0.0, 1.0, 1.0)

    @property
    def hangs(self) -> bool:
        """Whether it hangs on a wall, where others stand before it."""
        return KINDS[self.kind].hangs

    @property
    def tall(self) -> float:
        """Its height in centimeters."""
        return KINDS[self.kind].tall * (self.kept[3] - self.kept[1])

    @property
    def wide(self) -> float:
        """Its width in centimeters."""
        return self.tall * self.art.width / self.art.height

    @property
    def print(self) -> Box:
        """Where a logo may be on it, as shares of its picture."""
        left, top, right, bottom = self.kept
        wide, high = right - left, bottom - top
        x0, y0, x1, y1 = KINDS[self.kind].print
        return (x0 - left) / wide, (y0 - top) / high, (x1 - left) / wide, (y1 - top) / high


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
        return Product(_as_print(picture), "print")
    where, kind = found
    picture.putalpha(where)
    box = where.getbbox()
    art = picture.crop(box) if box else picture
    return Product(art if min(art.size) >= _LEAST else _as_print(picture), kind)


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
