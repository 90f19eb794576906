"""Pictures in the terminal: kitty, iTerm2, sixel, half blocks, or none. Never in a pipe."""

import base64
import io
import os
import re
import sys
from collections.abc import Sequence

from PIL import Image, ImageDraw, UnidentifiedImageError

from bmn.cli.terminal.console import console
from bmn.errors import UsageProblem

MODES = ("auto", "kitty", "iterm", "sixel", "blocks", "none")

_ROWS = 40
_CELL = (10, 20)  # pixels of a cell, where the terminal does not say
_MOST_PIXELS = 64_000_000
_KITTY_CHUNK = 4096


def mode(wanted: str | None = None) -> str:
    """How pictures are shown here: one of MODES without `auto`. wanted: the option; else BMN_IMAGES, else detection."""
    choice = wanted or os.environ.get("BMN_IMAGES") or "auto"
    if choice not in MODES:
        raise UsageProblem(f"BMN_IMAGES={choice!r} is no way to show pictures.", hint="Ways: " + ", ".join(MODES))
    both_terminals = sys.stdout.isatty() and sys.stderr.isatty()
    if not both_terminals or console.json or console.quiet or console.plain or console.is_dumb:
        return "none"
    return choice if choice != "auto" else _detect()


def _detect() -> str:
    environment = os.environ
    if not console.colored(sys.stderr) or console.in_ci:
        return "none"
    if environment.get("TMUX") or environment.get("TERM", "").startswith(("screen", "tmux")):
        return "blocks"  # they swallow graphics unless passthrough is on
    program = environment.get("TERM_PROGRAM", "").lower()
    term = environment.get("TERM", "")
    if environment.get("KITTY_WINDOW_ID") or "kitty" in term or "ghostty" in (program, term.removeprefix("xterm-")):
        return "kitty"
    if program in ("iterm.app", "wezterm"):
        return "iterm"
    return "sixel" if program == "mintty" or term.startswith(("foot", "mlterm")) or _says_sixel() else "blocks"


def _says_sixel() -> bool:
    """Asks the terminal for its attributes (DA1) and waits 200 ms at most; 4 among them means sixel."""
    if not sys.stdin.isatty():
        return False
    try:
        import select
        import termios
        import tty
    except ImportError:
        return False
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    answer = b""
    try:
        tty.setcbreak(descriptor)
        sys.stderr.write("\x1b[c")
        sys.stderr.flush()
        while b"c" not in answer and select.select([descriptor], [], [], 0.2)[0]:
            answer += os.read(descriptor, 64)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    return re.search(rb"[?;]4[;c]", answer) is not None


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


def sheet(pictures: Sequence[Image.Image], *, columns: int = 2, side: int = 480) -> Image.Image:
    """A contact sheet with the number of each picture in its corner."""
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    gap = side // 40
    paper = Image.new("RGB", (columns * side + (columns - 1) * gap, rows * side + (rows - 1) * gap), "#808080")
    draw = ImageDraw.Draw(paper)
    for index, picture in enumerate(pictures):
        left, top = index % columns * (side + gap), index // columns * (side + gap)
        tile = picture.copy()
        tile.thumbnail((side, side))
        paper.paste("white", (left, top, left + side, top + side))
        paper.paste(tile, (left + (side - tile.width) // 2, top + (side - tile.height) // 2))
        draw.rectangle((left, top, left + side // 9, top + side // 8), fill="black")
        draw.text((left + side // 36, top + side // 80), str(index + 1), fill="white", font_size=side // 10)
    return paper


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

    small = picture.resize((columns * _CELL[0], rows * _CELL[1]))
    return str(image_to_sixels(small)) + "\n"


def _blocks(picture: Image.Image, columns: int, rows: int) -> str:
    """Two pixels a cell: the upper one is the colour of `▀`, the lower one its background."""
    small = picture.resize((columns, rows * 2))
    true_color = os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
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
    """The nearest of the 6 x 6 x 6 cube."""
    red, green, blue = (round(part / 51) for part in color)
    return f"5;{16 + 36 * red + 6 * green + blue}"
