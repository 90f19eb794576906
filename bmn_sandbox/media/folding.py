"""What lies in a flat lay: garments folded around their print, bags with their handles tucked in, mugs seen from above."""

from dataclasses import replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.cutout import Box, Product, upright

_KEPT: dict[str, Box] = {  # what is seen of a folded thing, as shares of its picture
    "tshirt": (0.245, 0.0, 0.755, 0.67),
    "hoodie": (0.25, 0.0, 0.75, 0.76),
    "tote": (0.0, 0.336, 1.0, 1.0),
}
_LAYERS = ((0.02, 0.42), (0.01, 0.22))  # how far what is folded under looks out, beside the width, and how dark it is
_FINE = 2  # drawn this much larger and reduced
_MOUTH: Box = (0.02, 0.02, 0.688, 0.186)  # the inside of a mug, within its picture


def folded(product: Product) -> Product:
    """The product as it lies on a table."""
    if product.kind == "mug":
        return replace(product, art=_from_above(product.art))
    if product.kind not in _KEPT:
        return upright(product)
    left, top, right, bottom = kept = _KEPT[product.kind]
    wide, high = product.art.size
    art = product.art.crop((round(left * wide), round(top * high), round(right * wide), round(bottom * high)))
    return replace(product, art=_layered(_creased(art)), kept=kept)


def _creased(art: Image.Image) -> Image.Image:
    """Cloth bends around its folds: round corners, a light rim, and a shade beside it."""
    wide, high = art.size
    form = Image.new("L", (wide * 2, high * 2), 0)
    ImageDraw.Draw(form).rounded_rectangle((0, -high, wide * 2 - 1, high * 2 - 1), wide // 14, fill=255)
    shape = ImageChops.multiply(art.getchannel("A"), form.reduce(2))
    inner = shape.filter(ImageFilter.BoxBlur(wide / 40))
    rim = inner.point([min(255, max(0, 235 - v) * 2) for v in range(256)])
    creased = art.convert("RGB")
    creased.paste(tuple(BLACK), mask=rim.point([v // 5 for v in range(256)]))
    light = ImageChops.subtract(shape, ImageChops.offset(shape, 3, 3)).point([v // 4 for v in range(256)])
    creased.paste(tuple(WHITE), mask=light)
    creased.putalpha(shape)
    return creased


def _layered(art: Image.Image) -> Image.Image:
    """With what is folded under it, a little of which looks out at its foot."""
    deep = max(2, round(art.width * _LAYERS[0][0]))
    sheet = Image.new("RGBA", (art.width, art.height + deep))
    for share, dark in _LAYERS:
        under = art.copy()
        under.paste((*BLACK, 255), mask=art.getchannel("A").point([round(v * dark) for v in range(256)]))
        under.putalpha(art.getchannel("A"))
        sheet.alpha_composite(under, (0, round(art.width * share)))
    sheet.alpha_composite(art)
    return sheet


def _from_above(art: Image.Image) -> Image.Image:
    """A mug of this one's glaze, seen from above: its rim, coffee in it, and its handle to the right."""
    outer, rim, inner, handle = _glazes(art)
    side = round(art.height * _FINE)
    r = side / 2
    cup = Image.new("RGBA", (round(side * 1.34), side))
    draw = ImageDraw.Draw(cup)
    draw.rounded_rectangle((r, r * 0.83, side * 1.33, r * 1.17), r * 0.17, fill=(*handle.mixed(BLACK, 0.12), 255))
    draw.rounded_rectangle((r, r * 0.86, side * 1.31, r * 1.0), r * 0.1, fill=(*handle.mixed(WHITE, 0.22), 255))
    rings = (
        (1.0, outer.mixed(BLACK, 0.1)), (0.97, rim), (0.9, inner.mixed(BLACK, 0.34)), (0.87, inner.mixed(BLACK, 0.16)),
        (0.79, Color(148, 98, 58)), (0.75, Color(74, 43, 27)),
    )  # fmt: skip
    for share, color in rings:
        shift = r * 0.03 if share < 0.9 else 0.0  # what is deeper lies in the shade of the rim
        draw.ellipse(
            (r - r * share + shift, r - r * share + shift, r + r * share - 1, r + r * share - 1), fill=(*color, 255)
        )
    gleam = Image.new("L", cup.size, 0)
    ImageDraw.Draw(gleam).arc((r * 0.42, r * 0.42, r * 1.58, r * 1.58), 190, 262, fill=110, width=round(r * 0.16))
    cup.paste((232, 196, 158, 255), (0, 0), gleam.filter(ImageFilter.GaussianBlur(r * 0.06)))
    return cup.reduce(_FINE)


def _glazes(art: Image.Image) -> list[Color]:
    """The glaze of a mug outside, on its rim, inside and on its handle, as its picture shows them."""
    left, top, right, bottom = (share * of for share, of in zip(_MOUTH, art.size * 2, strict=True))
    picture, middle = art.convert("RGB"), round((left + right) / 2)
    places = (
        (round(left + 0.2 * (right - left)), round(bottom + 0.1 * art.height)),
        (middle, round(bottom) - 3),
        (middle, round(top + 0.1 * (bottom - top))),
        (round(0.955 * art.width), round(0.44 * art.height)),
    )
    return [Color(*picture.getpixel(at)[:3]) for at in places]  # type: ignore[index]
