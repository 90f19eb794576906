"""What a record is, and how it is made of a row."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

from bmn.errors import Cause

_CAUSES = frozenset(Cause)


def known_cause(value: str | None) -> Cause | None:
    """A cause that this release does not know was written by a newer one, or by hand: a defect, as far as we can say."""
    if value is None:
        return None
    return Cause(value) if value in _CAUSES else Cause.BUG


class Record:
    """Base of what `from_row` makes. CONVERTED: fields whose column holds less than they mean, and what makes them."""

    __slots__ = ()
    CONVERTED: ClassVar[dict[str, Callable[[Any], Any]]] = {}
    _places: ClassVar[tuple[tuple[int, Callable[[Any], Any]], ...]] = ()

    def __init_subclass__(cls) -> None:
        names = [name for name in cls.__annotations__ if name != "CONVERTED"]
        cls._places = tuple((names.index(name), convert) for name, convert in cls.CONVERTED.items())

    @classmethod
    def from_row(cls, row: Sequence[Any], *more: Any) -> Self:
        """row: one value a field, in their order. more: values of the fields behind those."""
        if not cls._places:
            return cls(*row, *more)
        values = [*row, *more]
        for place, convert in cls._places:
            values[place] = convert(values[place])
        return cls(*values)
