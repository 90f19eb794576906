"""How a motif is written down: layers of areas and lines, each in a role."""

from collections.abc import Sequence

from bmn_sandbox.media.shapes import Outline, Point

INK, ACCENT, GAP, DETAIL = "ink", "accent", "gap", "detail"

Layer = tuple[str, str | list[Outline], float]
"""The role, a shape in a box from -100 to 100, and the width of its line; a width of 0 fills it.

Later layers lie on top. A gap is cut out of what lies below. A detail is cut out as well, and stays a line where the
motif is drawn in lines.
"""


def between(starts: Sequence[Point], ends: Sequence[Point]) -> list[Outline]:
    """Straight lines from each start to its end."""
    return [[a, b] for a, b in zip(starts, ends, strict=False)]
