"""Tables that survive wide characters, right-to-left names, narrow terminals and pipes."""

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from bmn.cli.terminal.cells import Cell, Column, clean

_GAP = 2
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def _text(cell: Cell) -> str:
    text = clean(cell if isinstance(cell, str) else cell[0]).replace("\n", " ")
    # A first-strong isolate keeps a right-to-left name from reordering its neighbours.
    return f"\u2068{text}\u2069" if _RIGHT_TO_LEFT.search(text) else text


def _width(text: str) -> int:
    return cell_len(text.replace("\u2068", "").replace("\u2069", ""))


def _fit(text: str, width: int, *, right: bool) -> str:
    """The text in exactly `width` cells; what does not fit ends in an ellipsis."""
    size = _width(text)
    if size > width:
        bare = text.replace("\u2068", "").replace("\u2069", "")
        shortened = set_cell_size(bare, width - 1).rstrip() + "…"
        text = f"\u2068{shortened}\u2069" if bare != text else shortened
        size = _width(text)
    padding = " " * (width - size)
    return padding + text if right else text + padding


def _plan(columns: Sequence[Column], natural: list[int], width: int | None) -> dict[int, int]:
    """Which columns are shown and how wide: index -> cells."""
    shown = dict(enumerate(natural))
    if width is None:
        return shown

    def least() -> int:
        return sum(
            min(size, columns[index].least) if columns[index].flexible else size for index, size in shown.items()
        ) + _GAP * (len(shown) - 1)

    for index in sorted((i for i in shown if columns[i].drop), key=lambda i: -columns[i].drop):
        if least() <= width:
            break
        del shown[index]
    excess = sum(shown.values()) + _GAP * (len(shown) - 1) - width
    while excess > 0:
        candidates = [i for i in shown if columns[i].flexible and shown[i] > columns[i].least]
        if not candidates:
            break
        widest = max(candidates, key=lambda i: shown[i])
        shown[widest] -= 1
        excess -= 1
    return shown


def render(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None) -> list[Text]:
    """The lines of a table. width: cells of the terminal; None shortens nothing."""
    texts = [[_text(cell) for cell in row] for row in rows]
    natural = [max([len(column.title), *(_width(row[index]) for row in texts)]) for index, column in enumerate(columns)]
    plan = _plan(columns, natural, width)
    gap = " " * _GAP
    lines = [Text(gap.join(_fit(columns[i].title, size, right=columns[i].right) for i, size in plan.items()), "bold")]
    for row, cells in zip(rows, texts, strict=True):
        line = Text()
        for position, (index, size) in enumerate(plan.items()):
            cell = row[index]
            style = "" if isinstance(cell, str) else cell[1]
            line.append(gap if position else "")
            line.append(_fit(cells[index], size, right=columns[index].right), style)
        lines.append(line)
    for line in lines:
        line.rstrip()
    return lines
