"""Lists that come in pages, to their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar


class Page(Protocol):
    """What every page says of the next one; None: it is the last."""

    @property
    def next_cursor(self) -> str | None:
        """Where the next page begins."""


P = TypeVar("P", bound=Page)


async def pages(fetch: Callable[[str | None], Awaitable[P]]) -> AsyncIterator[P]:
    """Every page, each asked for when it is needed. fetch: the page at a cursor; None is the first."""
    cursor = None
    while True:
        page = await fetch(cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
