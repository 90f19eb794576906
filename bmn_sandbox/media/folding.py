"""What lies in a flat lay: garments folded around their print, bags with their handles tucked in, mugs empty."""

from dataclasses import replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bmn_sandbox.media.color import BLACK, WHITE
from bmn_sandbox.media.cutout import Box, Product, upright

_KEPT: dict[str, Box] = {  # what is seen of a folded thing, as shares of its picture
    "tshirt": (0.245, 0.0, 0.755, 0.67),
    "hoodie": (0.25, 0.0, 0.75, 0.76),
    "tote": (0.0, 0.336, 1.0, 1.0),
}
_LAYERS = ((0.02, 0.42), (0.01, 0.22))  # how far what is folded under looks out, beside the width, and how dark it is
_MOUTH: Box = (0.02, 0.02, 0.688, 0.186)  # the inside of a mug, within its picture


def folded(product: Product) -> Product:
    """The product as it lies on a table."""
    if product.kind == "mug":
        return replace(product, art=_emptied(product.art))
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


def _emptied(art: Image.Image) -> Image.Image:
    """A mug that may lie on its side: where coffee was, its inside, dark toward the far wall."""
    wide, high = art.size
    left, top, right, bottom = (round(share * of) for share, of in zip(_MOUTH, (wide, high, wide, high), strict=True))
    size = (right - left, bottom - top)
    mouth = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    ImageDraw.Draw(mouth).ellipse((0, 0, mouth.width - 1, mouth.height - 1), fill=255)
    mouth = mouth.reduce(2)
    skin = art.convert("RGB").getpixel(((left + right) // 2, top + max(2, size[1] // 9)))
    inside = Image.new("RGB", size, skin)
    depth = Image.linear_gradient("L").rotate(180).resize(size).point([v * 3 // 5 for v in range(256)])
    inside.paste(tuple(BLACK), mask=depth)
    empty = art.copy()
    empty.paste(inside, (left, top), mouth)
    empty.putalpha(art.getchannel("A"))
    return empty
