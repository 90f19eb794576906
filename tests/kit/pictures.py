"""Pictures the tests send, and what they look for in those that come back."""

import io

from PIL import Image, ImageDraw

INK = (214, 40, 57)


def logo_png(side: int = 128) -> bytes:
    """A red disc on white: a color no blank product has."""
    image = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(image).ellipse((side // 6, side // 6, side * 5 // 6, side * 5 // 6), fill=INK)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def png(color: str = "navy", side: int = 128) -> bytes:
    """A square of one color."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), color).save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def share_of_ink(data: bytes) -> float:
    """How much of a picture has about the color of the logo, 0..1."""
    small = opened(data).convert("RGB").resize((64, 64), Image.Resampling.BOX)
    near = [all(abs(a - b) < 50 for a, b in zip(pixel, INK, strict=True)) for pixel in small.get_flattened_data()]
    return sum(near) / len(near)


def fingerprint(picture: Image.Image) -> list[bool]:
    """A perceptual hash of a picture at 64 pixels: where it grows lighter, and where darker, from left to right."""
    small = picture.convert("L").resize((64, 64), Image.Resampling.LANCZOS).resize((17, 16), Image.Resampling.BOX)
    pixels = list(small.get_flattened_data())
    pairs = [(pixels[row * 17 + x], pixels[row * 17 + x + 1]) for row in range(16) for x in range(16)]
    return [a < b - 2 for a, b in pairs] + [a > b + 2 for a, b in pairs]


def differing_bits(one: list[bool], other: list[bool]) -> int:
    """How many of the 512 bits of two fingerprints differ."""
    return sum(a != b for a, b in zip(one, other, strict=True))
