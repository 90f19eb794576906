"""Where things go in a scene: in their true sizes, and so that none hides what is printed on another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from bmn_sandbox.media.cutout import Box

MOST_HIDDEN = 0.2  # how much of a thing another one may cover, as a share of its box
_STEP = 0.96  # so much smaller is tried where they do not fit
_GRID = 8  # pixels between two places that are tried
_FEW = 4  # up to so many stand in one row
_KISS = 12.0  # pixels between a foot and a head below it, which would look like one thing
_APART = 34.0  # pixels at least between two of a row


@dataclass(frozen=True, slots=True)
class Item:
    """wide, tall: in centimeters. print: where its logo is, as shares of its box. foot: so much broader is what it
    stands on.
    """

    wide: float
    tall: float
    print: Box
    foot: float = 1.0


@dataclass(frozen=True, slots=True)
class Spot:
    """number: of the item. box: in pixels. print: where its logo is then. row: 0 hangs, 1 and 2 stand before."""

    number: int
    box: Box
    print: Box
    row: int

    @property
    def middle(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    @property
    def high(self) -> float:
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class Stage:
    """left, right: what may be used, in pixels. back, front: where the feet of a row are. above: the top of what hangs.

    hanging, standing: the most pixels of height for each. far: how much smaller a centimeter is on the wall. near: how
    much larger in the front row.
    """

    left: float
    right: float
    back: float
    front: float
    above: float
    hanging: float
    standing: float
    far: float = 0.5
    near: float = 1.16
    apart: float = 56.0
    aside: float = 0.0
    deep: float = 80.0


def covered(front: Box, behind: Box) -> float:
    """How much of a box another one covers, 0 to 1."""
    wide = min(front[2], behind[2]) - max(front[0], behind[0])
    high = min(front[3], behind[3]) - max(front[1], behind[1])
    area = (behind[2] - behind[0]) * (behind[3] - behind[1])
    return wide * high / area if wide > 0 and high > 0 else 0.0


def fits(front: Spot, behind: Spot) -> bool:
    """Whether one may stand before another: off its logo, hiding little of it, and not head to foot."""
    most = MOST_HIDDEN if front.row != behind.row else 0.0
    beside = front.box[2] <= behind.box[0] or behind.box[2] <= front.box[0]
    if not beside and abs(front.box[1] - behind.box[3]) < _KISS:
        return False
    return covered(front.box, behind.print) == 0 and covered(front.box, behind.box) <= most


def clear(spots: Sequence[Spot]) -> bool:
    """Whether none of them, the farthest first, stands wrongly before another."""
    return all(fits(front, behind) for behind, front in combinations(spots, 2))


def staged(hung: Sequence[Item], standing: Sequence[Item], stage: Stage) -> list[Spot]:
    """A row on the wall and one or two before it, as large as they can be; the farthest first.

    Numbers count what hangs first. All that stands has one scale, and so has all that hangs.
    """
    wall = _wall(hung, stage)
    scale = wall[0].high / hung[wall[0].number].tall if wall else 0.0
    unit = scale / stage.far if wall else stage.standing
    if standing:
        unit = min(unit, stage.standing / max(item.tall for item in standing))
    while True:
        found = _floor(standing, len(hung), stage, unit, wall)
        if found is not None:
            return [*wall, *found]
        unit *= _STEP


def _spot(number: int, item: Item, unit: float, middle: float, base: float, row: int) -> Spot:
    wide, tall = item.wide * unit, item.tall * unit
    left, top = middle - wide / 2, base - tall
    x0, y0, x1, y1 = item.print
    print_ = (left + x0 * wide, top + y0 * tall, left + x1 * wide, top + y1 * tall)
    return Spot(number, (left, top, left + wide, base), print_, row)


def _wall(hung: Sequence[Item], stage: Stage) -> list[Spot]:
    """Side by side from the top; in two rows where they are many."""
    if not hung:
        return []
    half = len(hung) if len(hung) < 5 else -(-len(hung) // 2)
    rows = [list(range(half)), list(range(half, len(hung)))] if half < len(hung) else [list(range(half))]
    space = stage.right - stage.left
    unit = min(
        stage.hanging / sum(max(hung[n].tall for n in row) for row in rows),
        min((space - _APART * (len(row) + 1)) / sum(hung[n].wide for n in row) for row in rows),
    )
    found, top = list[Spot](), stage.above
    for row in rows:
        gap = (space - unit * sum(hung[n].wide for n in row)) / (len(row) + 1)
        x = stage.left + gap
        for n in row:
            wide, tall = hung[n].wide * unit, hung[n].tall * unit
            found.append(_spot(n, hung[n], unit, x + wide / 2, top + tall, 0))
            x += wide + gap
        top += unit * max(hung[n].tall for n in row) + _KISS + 4
    return found


def _floor(items: Sequence[Item], first: int, stage: Stage, unit: float, wall: Sequence[Spot]) -> list[Spot] | None:
    """All that stands at this scale; None where it does not fit."""
    ranked = sorted(range(len(items)), key=lambda n: -items[n].tall)
    back = ranked if len(ranked) <= _FEW else ranked[: -(-len(ranked) // 2)]
    ordered = [*back[1::2][::-1], *back[:1], *back[2::2]]  # the tallest in the middle
    laid = _row([items[n] for n in ordered], unit, stage)
    if laid is None:
        return None
    few = len(back) == len(ranked)
    found = []
    for n, middle in zip(ordered, laid, strict=True):
        share = _nearness(items[n], items) if few else 0.0
        far = stage.back if few else stage.back - stage.deep
        base, size = far + (stage.front - far) * share, 1 + (stage.near - 1) * share
        found.append(_spot(first + n, items[n], unit * size, middle, base, 1))
    front = [n for n in ranked if n not in back]
    if not clear([*wall, *found]):
        return None
    for place, n in enumerate(front):
        ideal = stage.left + (stage.right - stage.left) * (place + 0.5) / len(front)
        spot = _nearest(first + n, items[n], unit * stage.near, ideal, stage, [*wall, *found])
        if spot is None:
            return None
        found.append(spot)
    return found


def _nearness(item: Item, items: Sequence[Item]) -> float:
    """In one row, the lower a thing is the nearer it stands: 0 at the back, 1 in front."""
    low, high = min(i.tall for i in items), max(i.tall for i in items)
    return (high - item.tall) / (high - low) if high > low else 0.0


def _row(items: Sequence[Item], unit: float, stage: Stage) -> list[float] | None:
    """The middles of a row, as a group about the middle of the stage; None where it is too broad."""
    broad = [item.wide * unit * item.foot for item in items]
    free = stage.right - stage.left - sum(broad)
    if free < _APART * (len(items) - 1):
        return None
    gap = min(free / len(items), stage.apart) if len(items) > 1 else 0.0
    total = sum(broad) + gap * (len(items) - 1)
    aside = min(stage.aside, (stage.right - stage.left - total) / 2)
    x, found = (stage.left + stage.right - total) / 2 + aside, []
    for wide in broad:
        found.append(x + wide / 2)
        x += wide + gap
    return found


def _nearest(number: int, item: Item, unit: float, ideal: float, stage: Stage, others: Sequence[Spot]) -> Spot | None:
    """The place in the front row that is nearest to where it should be, and right."""
    half = item.wide * unit / 2
    places = range(round(stage.left + half), round(stage.right - half) + 1, _GRID)
    for middle in sorted(places, key=lambda x: abs(x - ideal)):
        spot = _spot(number, item, unit, float(middle), stage.front, 2)
        if all(fits(spot, other) for other in others):
            return spot
    return None


def laid_out(items: Sequence[Item], side: float, gap: float) -> list[Spot]:
    """Seen from above, in rows within a square about (0, 0), at one scale, none on another."""
    best = max(_divisions(items), key=lambda rows: _worth(items, rows, side, gap))
    unit = _scale(items, best, side, gap)
    tall = [unit * max(items[n].tall for n in row) for row in best]
    spare = (side - sum(tall)) / len(best)
    found, top = list[Spot](), -side / 2
    for row, high in zip(best, tall, strict=True):
        free = (side - unit * sum(items[n].wide for n in row)) / len(row)
        x = -side / 2 + free / 2
        for n in row:
            wide = items[n].wide * unit
            middle = top + (high + spare) / 2
            found.append(_spot(n, items[n], unit, x + wide / 2, middle + items[n].tall * unit / 2, 0))
            x += wide + free
        top += high + spare
    return found


def _divisions(items: Sequence[Item]) -> Iterable[list[list[int]]]:
    """Ways to put things into rows: all of them for a few things, the even ones for many."""
    count = len(items)
    if count <= 6:
        for rows in range(1, min(count, 3) + 1):
            for choice in product(range(rows), repeat=count):
                if len(set(choice)) == rows:
                    yield [[n for n in range(count) if choice[n] == row] for row in range(rows)]
        return
    ranked = sorted(range(count), key=lambda n: -items[n].tall)
    for rows in (2, 3, 4):
        size = -(-count // rows)
        yield [ranked[at : at + size] for at in range(0, count, size)]


def _scale(items: Sequence[Item], rows: Sequence[Sequence[int]], side: float, gap: float) -> float:
    tall = (side - gap * (len(rows) - 1)) / sum(max(items[n].tall for n in row) for row in rows)
    return min(tall, min((side - gap * (len(row) - 1)) / sum(items[n].wide for n in row) for row in rows))


def _worth(items: Sequence[Item], rows: Sequence[Sequence[int]], side: float, gap: float) -> float:
    """Large is good, and so are rows that are equally full, each of things that are equally tall."""
    wide = [sum(items[n].wide for n in row) for row in rows]
    return _scale(items, rows, side, gap) * (0.8 + 0.2 * min(wide) / max(wide))
