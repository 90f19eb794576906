"""A logo on a card: a patch of the ground it was drawn for, where another would swallow a part of it."""

from PIL import Image, ImageDraw

from bmn_sandbox.media.color import Color

_AIR = 0.11  # around the art, as a share of its longer side
_ROUND = 0.06
_FINE = 2  # the edge is drawn this much larger and reduced


def carded(art: Image.Image, ground: Color) -> Image.Image:
    """The art on a card with round corners and air on all sides. RGBA."""
    longer = max(art.size)
    air = max(2, round(longer * _AIR))
    size = (art.width + 2 * air, art.height + 2 * air)
    shape = Image.new("L", (size[0] * _FINE, size[1] * _FINE), 0)
    ImageDraw.Draw(shape).rounded_rectangle(
        (0, 0, shape.width - 1, shape.height - 1), round(longer * _ROUND * _FINE), fill=255
    )
    card = Image.new("RGBA", size, (*ground, 255))
    card.alpha_composite(art, (air, air))
    card.putalpha(shape.reduce(_FINE))
    return card
