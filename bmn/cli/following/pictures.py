"""Pictures in the terminal: for kitty, iTerm2, sixel, or as half blocks; `bmn.cli.terminal.image_support` says for which."""

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, UnidentifiedImageError
from rich.cells import cell_len, set_cell_size

from bmn.cli.terminal.cells import clean

_ROWS = 40
_LEVELS = (0, 95, 135, 175, 215, 255)  # of the color cube
_CELL = (10, 20)  # pixels of a cell, where the terminal does not say
_MOST_PIXELS = 64_000_000
_KITTY_CHUNK = 4096

# A contact sheet, in cells: from where on four stand side by side, how wide one becomes, what lies between two.
_WIDE = 120
_WIDEST_TILE = 36
_GAP = 2
_MARGIN = 0.06  # of the content, around it
_PAPER_NOISE = 12  # how far a color may be from the paper's and still be paper


def open_picture(data: bytes) -> Image.Image | None:
    """The picture, or None where the bytes are none (a video, garbage)."""
    try:
        file = Image.open(io.BytesIO(data))
        if file.width * file.height > _MOST_PIXELS:
            return None
        picture = file.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    paper = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(paper, picture).convert("RGB")


def cropped(picture: Image.Image) -> Image.Image:
    """The square around what is in the picture, without the even margin that logos come with."""
    paper = Image.new(picture.mode, picture.size, picture.getpixel((0, 0)))
    box = ImageChops.difference(picture, paper).point(lambda part: 255 if part > _PAPER_NOISE else 0).getbbox()
    if box is None:
        return picture
    side = round(max(box[2] - box[0], box[3] - box[1]) * (1 + 2 * _MARGIN))
    if side >= min(picture.size):
        return picture
    middle = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
    square = Image.new(picture.mode, (side, side), picture.getpixel((0, 0)))
    square.paste(picture, (side // 2 - middle[0], side // 2 - middle[1]))
    return square


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of a contact sheet and what stands below it."""

    picture: Image.Image
    caption: str


def across(width: int) -> int:
    """How many pictures stand side by side on a terminal so wide."""
    return 4 if width >= _WIDE else 2


def contact_sheet(tiles: Sequence[Tile], way: str, width: int) -> str:
    """The characters that draw the pictures side by side, each with its caption below; empty for `none`."""
    if way == "none" or not tiles:
        return ""
    beside = across(width)
    columns = max(8, min(_WIDEST_TILE, (width - 1 - _GAP * (beside - 1)) // beside))
    rows = [tiles[start : start + beside] for start in range(0, len(tiles), beside)]
    return "".join(_sheet_row(row, way, columns) for row in rows)


def _sheet_row(tiles: Sequence[Tile], way: str, columns: int) -> str:
    pictures = [cropped(tile.picture) for tile in tiles]
    captions = (" " * _GAP).join(_centered(tile.caption, columns) for tile in tiles).rstrip()
    if way == "blocks":
        blocks = [encode(_squared(picture), way, columns).splitlines() for picture in pictures]
        return "".join((" " * _GAP).join(lines) + "\n" for lines in zip(*blocks, strict=True)) + captions + "\n"
    side = columns * _CELL[0]
    step = side + _GAP * _CELL[0]
    strip = Image.new("RGBA", (step * len(pictures) - _GAP * _CELL[0], side), (255, 255, 255, 0))
    for index, picture in enumerate(pictures):
        strip.paste(_squared(picture).resize((side, side)), (index * step, 0))
    return encode(strip, way, columns * len(pictures) + _GAP * (len(pictures) - 1)) + captions + "\n"


def _squared(picture: Image.Image) -> Image.Image:
    """A wide picture on a square of its own edge's color, so that all of a row are equally tall."""
    if picture.width == picture.height:
        return picture
    side = max(picture.size)
    square = Image.new("RGB", (side, side), picture.getpixel((0, 0)))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def _centered(caption: str, columns: int) -> str:
    text = clean(caption)
    if cell_len(text) > columns:
        text = set_cell_size(text, columns - 1).rstrip() + "…"
    left = (columns - cell_len(text)) // 2
    return set_cell_size(" " * left + text, columns)


def encode(picture: Image.Image, way: str, columns: int) -> str:
    """The characters that draw a picture `columns` cells wide, ending in a new line; empty for `none`."""
    rows = max(1, round(columns * picture.height / picture.width * _CELL[0] / _CELL[1]))
    if rows > _ROWS:
        columns, rows = max(1, columns * _ROWS // rows), _ROWS
    if way == "none":
        return ""
    return {"kitty": _kitty, "iterm": _iterm, "sixel": _sixel, "blocks": _blocks}[way](picture, columns, rows)


def _png(picture: Image.Image, columns: int, rows: int) -> str:
    small = picture.copy()
    small.thumbnail((columns * _CELL[0] * 2, rows * _CELL[1] * 2))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _kitty(picture: Image.Image, columns: int, rows: int) -> str:
    data = _png(picture, columns, rows)
    chunks = [data[start : start + _KITTY_CHUNK] for start in range(0, len(data), _KITTY_CHUNK)]
    parts = []
    for index, chunk in enumerate(chunks):
        more = int(index < len(chunks) - 1)
        head = f"a=T,f=100,q=2,c={columns},r={rows},m={more}" if index == 0 else f"m={more}"
        parts.append(f"\x1b_G{head};{chunk}\x1b\\")
    return "".join(parts) + "\n"


def _iterm(picture: Image.Image, columns: int, rows: int) -> str:
    data = _png(picture, columns, rows)
    return f"\x1b]1337;File=inline=1;width={columns};height={rows};preserveAspectRatio=1:{data}\x07\n"


def _sixel(picture: Image.Image, columns: int, rows: int) -> str:
    from textual_image._sixel import image_to_sixels

    small = picture.convert("RGB").resize((columns * _CELL[0], rows * _CELL[1]))
    return str(image_to_sixels(small)) + "\n"


def _blocks(picture: Image.Image, columns: int, rows: int) -> str:
    """Two pixels a cell: the upper one is the color of `▀`, the lower one its background."""
    small = picture.resize((columns, rows * 2), Image.Resampling.BOX)
    # A multiplexer takes 24 bits in any case, and gives the terminal outside what that can show.
    true_color = os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or bool(os.environ.get("TMUX"))
    code = _rgb if true_color else _of_256
    pixels: list[tuple[int, int, int]] = list(small.get_flattened_data())  # type: ignore[arg-type]
    lines = []
    for row in range(rows):
        upper = pixels[2 * row * columns : (2 * row + 1) * columns]
        lower = pixels[(2 * row + 1) * columns : (2 * row + 2) * columns]
        cells = "".join(f"\x1b[38;{code(a)};48;{code(b)}m▀" for a, b in zip(upper, lower, strict=True))
        lines.append(f"{cells}\x1b[0m\n")
    return "".join(lines)


def _rgb(color: tuple[int, int, int]) -> str:
    return f"2;{color[0]};{color[1]};{color[2]}"


def _of_256(color: tuple[int, int, int]) -> str:
    """The nearest of the 6 x 6 x 6 cube and of the 24 grays, which keep soft edges from turning pink."""
    cube = tuple(min(range(6), key=lambda level: abs(_LEVELS[level] - part)) for part in color)
    gray = min(range(24), key=lambda step: abs(8 + 10 * step - sum(color) / 3))
    of_cube = _distance(color, (_LEVELS[cube[0]], _LEVELS[cube[1]], _LEVELS[cube[2]]))
    of_grays = _distance(color, (8 + 10 * gray,) * 3)
    return f"5;{232 + gray}" if of_grays < of_cube else f"5;{16 + 36 * cube[0] + 6 * cube[1] + cube[2]}"


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
