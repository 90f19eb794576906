"""How a decoded picture looks on a screen: 8 bits a channel, sRGB, turned as its camera noted."""

import io

from PIL import Image, ImageCms

_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)  # orientations that exchange width and height
_TURNS = {  # by orientation: what turns the stored pixels upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_AVERAGED = ("RGB", "RGBA", "L", "LA", "CMYK")  # modes in which the mean of two pixels is a pixel
_STRIP_PIXELS = 1 << 20  # so what models usually send is one
_HIGH_BYTE = [value >> 8 for value in range(65536)]
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def is_turned(image: Image.Image) -> int:
    """The camera's orientation, 2 to 8; 1 where the pixels are upright as they are stored."""
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 2 <= value <= 8 else 1


def shown_size(image: Image.Image) -> tuple[int, int]:
    """Width and height in pixels, once it is turned upright."""
    width, height = image.size
    return (height, width) if is_turned(image) in _SIDEWAYS else (width, height)


def is_plain(image: Image.Image) -> bool:
    """Whether every program shows it alike: one frame, upright, 8 bits, no color profile, no print colors."""
    return (
        image.format in ("PNG", "JPEG", "WEBP")
        and image.mode in ("1", "L", "LA", "P", "RGB", "RGBA")
        and getattr(image, "n_frames", 1) == 1
        and "icc_profile" not in image.info
        and is_turned(image) == 1
    )


def as_shown(image: Image.Image, at_least: int | None = None) -> Image.Image:
    """RGB, or RGBA where anything is transparent, in a new image that knows nothing of the old one's notes.

    at_least: pixels that its longer side has to keep; a larger picture is divided by a whole number on the way. Left out:
    all. The old image is closed, and its pixels are let go as soon as they are drawn: a large one twice is too much.
    """
    turn = _TURNS.get(is_turned(image))
    if at_least is not None and (longest := max(image.size)) > at_least:
        # A JPEG is decoded at a part of its size.
        image.draft("RGB", (-(-image.width * at_least // longest), -(-image.height * at_least // longest)))
    image.load()
    drawn = _in_strips(image, _factor(image.size, at_least))
    image.close()
    return drawn if turn is None else drawn.transpose(turn)


def _factor(size: tuple[int, int], at_least: int | None) -> int:
    factor = 1 if at_least is None else max(size) // at_least
    return factor if 1 < factor <= min(size) else 1


def _in_strips(image: Image.Image, factor: int) -> Image.Image:
    """The picture as it is stored, divided by `factor`. What stands between is as large as a strip, not as the picture."""
    transparent = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa")
    mode = "RGBA" if transparent else "RGB"
    averaged = image.mode in _AVERAGED and "transparency" not in image.info
    width, height = image.size
    rows = max(_STRIP_PIXELS // width // factor, 1) * factor

    def strip(top: int) -> Image.Image:
        box = (0, top, width, min(top + rows, height))
        if averaged and factor > 1:
            return _in_srgb(image.reduce(factor, box), image.info.get("icc_profile"), mode)
        shown = _in_srgb(_eight_bits(image.crop(box)), image.info.get("icc_profile"), mode)
        return shown.reduce(factor) if factor > 1 else shown

    if rows >= height:
        return strip(0)
    drawn = Image.new(mode, (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        drawn.paste(strip(top), (0, top // factor))
    return drawn


def _eight_bits(image: Image.Image) -> Image.Image:
    """16 bits of gray to 8; Pillow's own conversion cuts off instead of scaling."""
    if not image.mode.startswith("I"):
        return image
    deep = image.convert("I")
    gray = deep.point(_HIGH_BYTE, "L")
    hidden = image.info.get("transparency")
    if isinstance(hidden, int):
        gray.putalpha(deep.point([0 if value == hidden else 255 for value in range(65536)], "L"))
    return gray


def _in_srgb(image: Image.Image, profile: bytes | None, mode: str) -> Image.Image:
    """The colors that the profile means; one that cannot be read is ignored, as browsers do."""
    if image.mode in ("P", "PA"):
        image = image.convert(mode)  # a palette's colors are what the profile speaks of
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L", "LA"):
        colors = image.convert("RGB") if image.mode == "RGBA" else image.convert("L") if image.mode == "LA" else image
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(colors, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            if mode == "RGBA":
                converted.putalpha(image.convert("RGBA").getchannel("A"))
            return converted
    return image.convert(mode)
