"""How a decoded picture looks on a screen: 8 bits a channel, sRGB, turned as its camera noted."""

import io

from PIL import Image, ImageCms, ImageOps

_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)  # orientations that exchange width and height
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


def as_shown(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where anything is transparent, in a new image that knows nothing of the old one's notes."""
    profile = image.info.get("icc_profile")
    upright = _eight_bits(ImageOps.exif_transpose(image))
    transparent = "transparency" in upright.info or upright.mode in ("RGBA", "LA", "PA", "La", "RGBa")
    pixels = _in_srgb(upright, profile, "RGBA" if transparent else "RGB")
    clean = Image.new(pixels.mode, pixels.size)
    clean.paste(pixels)
    return clean


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
