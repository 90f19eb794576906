"""Contact sheets of what the sandbox draws, to be looked at: `python -m bmn_sandbox.sheets FOLDER [SHEET...]`."""

import io
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from bmn_sandbox.media.bundle import STYLES as BUNDLE_STYLES
from bmn_sandbox.media.bundle import bundle
from bmn_sandbox.media.logo.brief import KINDS, STYLES
from bmn_sandbox.media.logo.logos import render_logo
from bmn_sandbox.media.products import mockup
from bmn_sandbox.media.video import shot_of

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


def sets() -> Image.Image:
    """The four logos that a first job makes, for 24 names: two names a row."""
    rng, drawn = random.Random(3), []
    for index, name in enumerate(NAMES[:24]):
        for kind in ("icon", "lettermark", "emblem", "wordmark"):
            asked = logo_prompt(name, STYLES[index % 5], kind, PALETTES[index % len(PALETTES)])
            drawn.append(render_logo(asked, rng.randrange(2**31), (512, 512)))
    return _contact(drawn, 8, (270, 270))


def scripts() -> Image.Image:
    """Nine scripts by eight kinds of logo."""
    rng, drawn = random.Random(7), []
    for index, name in enumerate(NAMES_IN_SCRIPTS):
        for number, kind in enumerate(KINDS):
            asked = logo_prompt(name, STYLES[(index + number) % 5], kind, PALETTES[index])
            drawn.append(render_logo(asked, rng.randrange(2**31), (512, 512)))
    return _contact(drawn, 8, (220, 220))


def small() -> Image.Image:
    """The same hundred logos as small as a phone shows them, four times enlarged."""
    full = logos()
    tiny = full.resize((full.width * 64 // 220, full.height * 64 // 220), Image.Resampling.LANCZOS)
    return tiny.resize((tiny.width * 2, tiny.height * 2), Image.Resampling.NEAREST)


def dark() -> Image.Image:
    """Each kind of logo for light ground, and the same logo made again for a dark one."""
    drawn = []
    for index, kind in enumerate(KINDS):
        asked = logo_prompt(NAMES[index], STYLES[index % 5], kind, PALETTES[index])
        changed = f"{asked} Change the given logo as follows: put it on a dark background."
        drawn += [
            render_logo(asked, 40 + index, (512, 512)),
            render_logo(changed, 90 + index, (512, 512), b"", ([asked], 40 + index)),
        ]
    return _contact(drawn, 8, (270, 270))


_PRODUCTS = ("mug", "T-shirt", "hoodie", "tote bag", "cap", "poster", "sticker", "bottle", "box", "notebook")
_BRANDS = ((0, "emblem"), (13, "combination"), (18, "lettermark"))


def _logo_of(brand: int, kind: str) -> bytes:
    asked = logo_prompt(NAMES[brand], STYLES[brand % 5], kind, PALETTES[brand % len(PALETTES)])
    return _png(render_logo(asked, 11 + brand, (1024, 1024)))


def _mockups(brand: int, kind: str, products: Sequence[str]) -> list[bytes]:
    logo, colors = _logo_of(brand, kind), PALETTES[brand % len(PALETTES)]
    return [mockup(logo, f"Product mockup: {product}. Colors: {colors}.") for product in products]


def products() -> Image.Image:
    """Ten products of three brands."""
    drawn = [_opened(each) for brand, kind in _BRANDS for each in _mockups(brand, kind, _PRODUCTS)]
    return _contact(drawn, 5, (380, 380))


def bundles() -> Image.Image:
    """Four styles by three brands."""
    drawn = []
    for brand, kind in _BRANDS:
        shown = _mockups(brand, kind, ("mug", "T-shirt", "tote bag", "bottle", "notebook"))
        colors = PALETTES[brand % len(PALETTES)]
        drawn += [_opened(bundle(shown, f"{words}. Colors: {colors}.")) for words in BUNDLE_STYLES]
    return _contact(drawn, 4, (500, 500))


def films() -> Image.Image:
    """Six frames of each style."""
    drawn = []
    for style, product in zip(
        ("showcase", "unboxing", "lifestyle", "minimal"), ("mug", "bottle", "box", "notebook"), strict=True
    ):
        (shown,) = _mockups(0, "emblem", (product,))
        shot = shot_of(shown, (1280, 720), f"{style} {PALETTES[0]}")
        drawn += [shot(moment / 5) for moment in range(6)]
    return _contact(drawn, 6, (400, 228))


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "png")
    return out.getvalue()


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


SHEETS: dict[str, Callable[[], Image.Image]] = {
    "logos": logos,
    "sets": sets,
    "small": small,
    "scripts": scripts,
    "dark": dark,
    "products": products,
    "bundles": bundles,
    "films": films,
}


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0] if arguments else "sheets")
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or SHEETS:
        path = folder / f"{name}.png"
        SHEETS[name]().save(path)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
