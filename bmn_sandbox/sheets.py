"""Contact sheets of what the sandbox draws, to be looked at: `python -m bmn_sandbox.sheets FOLDER [SHEET...]`."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from bmn_sandbox.media.logo.brief import KINDS, STYLES
from bmn_sandbox.media.logo.logos import render_logo

NAMES = (
    "Acme Coffee", "Northwind", "Luna & Sol Yoga", "Saffron Street Kitchen", "Support Hub", "Barking Mad Sandwiches",
    "Montessori Academy of Portland", "Hudson", "Bloomfield Gardens", "Volt Cycles", "Stella", "Fox & Anchor",
    "Peak Performance Gym", "Glow Skincare", "The Reading Room", "Careful Accounting", "Old Town Barbers",
    "Honeybee Bakery", "Tidepool Surf Co.", "Kite", "Pixel Forge", "Marigold", "Harbor Lights Hotel",
    "Rocket Lab Kids", "Evergreen Timber",
)  # fmt: skip
NAMES_IN_SCRIPTS = (
    "Кофейня Рассвет", "Καφέ Ήλιος", "قهوة الصباح", "מאפיית השחר", "सुबह की चाय", "กาแฟยามเช้า", "山茶咖啡",
    "朝のコーヒー", "새벽 커피",
)  # fmt: skip
PALETTES = (
    "#6F4E37, #D4A574", "#1f3a5f, #f2a541, #e9eef4", "#22443a, #e07a5f, #f4f1de", "#3d2c5e, #f26a8d, #f3eef8",
    "#2A9D8F, #E9C46A, #264653", "#5A3825, #F2E8DC", "#111827, #ef4444", "#0b4f6c, #01baef", "#b91c1c, #fde68a",
    "#14532d, #84cc16",
)  # fmt: skip
_WORDS_OF = {
    "icon": "Icon-focused abstract symbol",
    "lettermark": "Lettermark from the brand's initials",
    "emblem": "Emblem or badge",
    "wordmark": "Modern minimalist wordmark",
    "combination": "Combination mark, symbol and text",
    "geometric": "Geometric abstract shape",
    "organic": "Organic hand-drawn feel",
    "negative": "Negative space",
}
_EDGE = 3


def logo_prompt(name: str, style: str, kind: str, colors: str = PALETTES[0]) -> str:
    """A prompt for a logo in the wording that clients use."""
    return (
        f'Professional brand logo for "{name}". Style: {style}. Colors: {colors}. Brand vision: honest work. '
        f"Flat vector on a white background, high contrast. Variation: {_WORDS_OF[kind]}."
    )


def _contact(pictures: list[Image.Image], columns: int, cell: tuple[int, int]) -> Image.Image:
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell[0], rows * cell[1]), "#dcdcdc")
    for index, picture in enumerate(pictures):
        small = picture.resize((cell[0] - 2 * _EDGE, cell[1] - 2 * _EDGE), Image.Resampling.LANCZOS)
        sheet.paste(small, (index % columns * cell[0] + _EDGE, index // columns * cell[1] + _EDGE))
    return sheet


def logos() -> Image.Image:
    """25 names by four logos."""
    kinds, rng, drawn = list(KINDS), random.Random(4), []
    for index, name in enumerate(NAMES):
        for number in range(4):
            kind, style = kinds[(index * 3 + number) % 8], STYLES[index % 5]
            asked = logo_prompt(name, style, kind, PALETTES[index % len(PALETTES)])
            drawn.append(render_logo(asked, rng.randrange(2**31), (512, 512)))
    return _contact(drawn, 10, (220, 220))


def scripts() -> Image.Image:
    """Nine scripts by eight kinds of logo."""
    rng, drawn = random.Random(7), []
    for index, name in enumerate(NAMES_IN_SCRIPTS):
        for number, kind in enumerate(KINDS):
            asked = logo_prompt(name, STYLES[(index + number) % 5], kind, PALETTES[index])
            drawn.append(render_logo(asked, rng.randrange(2**31), (512, 512)))
    return _contact(drawn, 8, (220, 220))


SHEETS: dict[str, Callable[[], Image.Image]] = {"logos": logos, "scripts": scripts}


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0] if arguments else "sheets")
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or SHEETS:
        path = folder / f"{name}.png"
        SHEETS[name]().save(path)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
