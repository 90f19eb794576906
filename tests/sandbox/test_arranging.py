"""Bundles: true sizes, nobody on anybody's logo, shadows that fall on what is there."""

import io
import math
import random
from itertools import combinations

import pytest
from PIL import Image, ImageChops, ImageDraw

from bmn_sandbox.media import backdrops, bundle
from bmn_sandbox.media.arranging import MOST_HIDDEN, Item, Spot, Stage, clear, covered, fits, laid_out, staged
from bmn_sandbox.media.canvas import SIZE
from bmn_sandbox.media.color import Color
from bmn_sandbox.media.cutout import KINDS, cut_out, upright
from bmn_sandbox.media.folding import folded
from bmn_sandbox.media.placing import hang, lay, stand
from bmn_sandbox.media.products import mockup
from tests.kit.pictures import logo_png, opened

STAGES = [bundle.SHOWCASE, bundle.LIFESTYLE]
ASPECTS = {"tote": 0.67, "bottle": 0.31, "poster": 0.67, "mug": 1.09, "notebook": 0.71, "cap": 1.2, "stickers": 0.8}


def item(kind: str) -> Item:
    known = KINDS[kind]
    return Item(known.tall * ASPECTS.get(kind, 1.0), known.tall, known.print)


def some_products(rng: random.Random) -> tuple[list[Item], list[Item]]:
    kinds = [rng.choice(list(KINDS)) for _ in range(rng.randint(1, 10))]
    return [item(k) for k in kinds if KINDS[k].hangs], [item(k) for k in kinds if not KINDS[k].hangs]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("seed", range(10))
def test_nobody_stands_on_anybodys_logo_whatever_is_shown(seed: int, stage: Stage) -> None:
    hung, standing = some_products(random.Random(seed))
    spots = staged(hung, standing, stage)
    assert sorted(spot.number for spot in spots) == list(range(len(hung) + len(standing)))
    for behind, front in combinations(spots, 2):
        assert covered(front.box, behind.print) == 0, (behind, front)
        assert covered(front.box, behind.box) <= MOST_HIDDEN, (behind, front)
    for spot in spots:
        assert min(spot.box) >= 0 and max(spot.box) <= SIZE


@pytest.mark.parametrize("stage", STAGES)
def test_things_have_their_true_sizes_beside_each_other(stage: Stage) -> None:
    hung, standing = [item("tshirt"), item("tote")], [item("mug"), item("bottle"), item("notebook")]
    high = {spot.number: spot.high for spot in staged(hung, standing, stage)}
    scale = {n: high[n] / each.tall for n, each in enumerate([*hung, *standing])}
    assert scale[0] == pytest.approx(scale[1]), "one scale on the wall"
    assert max(scale[n] for n in (2, 3, 4)) <= min(scale[n] for n in (2, 3, 4)) * stage.near + 1e-6
    assert high[0] > 3 * high[2], "a shirt is several mugs high"


def test_who_may_stand_before_whom() -> None:
    behind = Spot(0, (0, 0, 100, 100), (30, 30, 70, 70), 1)
    assert fits(Spot(1, (80, 40, 140, 140), (80, 40, 140, 140), 2), behind)
    assert not fits(Spot(1, (60, 40, 120, 140), (0, 0, 1, 1), 2), behind), "on the logo"
    assert not fits(Spot(1, (-20, 72, 120, 172), (0, 0, 1, 1), 2), behind), "too much is hidden"
    assert not fits(Spot(1, (80, 40, 140, 140), (0, 0, 1, 1), 1), behind), "in one row they stand side by side"
    assert not fits(Spot(1, (20, 105, 80, 205), (0, 0, 1, 1), 2), behind), "its head would carry the other's foot"


@pytest.mark.parametrize("seed", range(8))
def test_in_a_flat_lay_nothing_lies_on_anything(seed: int) -> None:
    hung, standing = some_products(random.Random(seed))
    items = [*hung, *standing]
    spots = laid_out(items, 860, 40)
    scales = [spot.high / items[spot.number].tall for spot in spots]
    assert max(scales) == pytest.approx(min(scales))
    assert clear([Spot(s.number, s.box, s.print, 1) for s in spots])
    assert all(abs(edge) <= 430.01 for spot in spots for edge in spot.box)


@pytest.mark.full
@pytest.mark.parametrize("shape", [(300, 300), (600, 120), (120, 400)])
def test_a_logo_is_where_the_table_says(shape: tuple[int, int]) -> None:
    """On each product the print lies inside of the part that nobody may cover, folded or not."""
    logo = Image.new("RGB", shape, "white")
    ImageDraw.Draw(logo).rectangle((4, 4, shape[0] - 5, shape[1] - 5), fill=(214, 40, 57))
    data = io.BytesIO()
    logo.save(data, "PNG")
    words = ("mug", "T-shirt", "hoodie", "tote bag", "cap", "poster", "bottle", "box", "notebook", "phone stand")
    for word in words:
        drawn, blank = (cut_out(mockup(sent, f"a white {word} #2a9d8f")) for sent in (data.getvalue(), None))
        for change in (upright, folded) if drawn.kind != "mug" else (upright,):  # from above none is seen
            one, other = change(drawn), change(blank)
            assert one.art.size == other.art.size
            seen = ImageChops.difference(one.art.convert("RGB"), other.art.convert("RGB")).convert("L")
            box = seen.point([0] * 60 + [255] * 196).getbbox()
            assert box is not None, word
            x0, y0, x1, y1 = (share * of for share, of in zip(one.print, one.art.size * 2, strict=True))
            assert x0 - 2 <= box[0] and y0 - 2 <= box[1] and box[2] <= x1 + 2 and box[3] <= y1 + 2, (word, box)


@pytest.mark.parametrize("put", ["stand", "hang", "lay"])
def test_a_shadow_has_no_hard_edge(put: str) -> None:
    solid = Image.new("RGBA", (160, 220), (200, 30, 30, 255))
    canvas = Image.new("RGB", (SIZE, SIZE), (230, 230, 230))
    before = canvas.copy()
    match put:
        case "stand":
            stand(canvas, solid, 500, 700)
        case "hang":
            hang(canvas, solid, 500, 480)
        case _:
            lay(canvas, solid, 500, 590, 0)
    box = (416, 476, 584, 704)
    canvas.paste(before.crop(box), box[:2])  # so that its shadow alone is seen
    outside = ImageChops.difference(canvas, before).convert("L")
    rows = [outside.crop((590, y, 900, y + 1)) for y in range(300, 900, 6)]
    steps = [
        abs(int(row.getpixel((x, 0))) - int(row.getpixel((x + 1, 0))))  # type: ignore[arg-type]
        for row in rows
        for x in range(309)
    ]
    assert outside.getbbox() is not None and max(steps) <= 9


def test_a_rail_and_its_shadow_run_from_edge_to_edge() -> None:
    canvas = Image.new("RGB", (SIZE, SIZE), (230, 230, 230))
    before = canvas.copy()
    backdrops.rail(canvas)
    low = ImageChops.difference(canvas, before).convert("L").crop((0, 60, SIZE, 90))
    columns = [
        low.crop((x, 0, x + 1, 30)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) for x in (2, 500, 1020)
    ]
    assert max(columns) - min(columns) <= 3  # type: ignore[operator, type-var]


def test_a_folded_shirt_is_smaller_and_a_mug_is_seen_from_above() -> None:
    shirt = cut_out(mockup(logo_png(), "A T-shirt, #2a9d8f"))
    flat = folded(shirt)
    assert flat.tall < 0.7 * shirt.tall and flat.wide < 0.6 * shirt.wide
    mug = folded(cut_out(mockup(logo_png(), "A white mug, #2a9d8f")))
    middle, corner = (round(mug.art.height / 2), round(mug.art.height / 2)), (0, 0)
    coffee, beside = mug.art.getpixel(middle), mug.art.getpixel(corner)
    assert isinstance(coffee, tuple) and coffee[0] > 1.3 * coffee[2] and coffee[3] == 255, (
        "brown, in the middle of its rim"
    )
    assert isinstance(beside, tuple) and beside[3] == 0


def test_a_podiums_shadow_ends_where_its_top_ends() -> None:
    canvas = Image.new("RGB", (SIZE, SIZE), (230, 230, 230))
    surface = backdrops.podium(canvas, Color(120, 90, 60), 500, 700, 80, 800)
    before = canvas.copy()
    art = Image.new("RGBA", (120, 300), (200, 30, 30, 255))
    stand(canvas, art, 500, 705, surface)
    changed = ImageChops.difference(canvas, before).convert("L").point([0] * 3 + [255] * 253)
    changed.paste(0, (440, 405, 560, 705))
    box = changed.getbbox()
    assert box is None or (box[0] >= 500 - 81 and box[2] <= 500 + 81 and math.isclose(box[3], 708, abs_tol=8))
    assert opened(bundle.bundle([logo_png()], "showcase")).size == (SIZE, SIZE)
