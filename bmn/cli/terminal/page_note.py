"""How a list that goes on says so."""

from bmn.cli.terminal.console import console

MOST = 200
"""The rows that one page has at most."""


def further(cursor: str, limit: int) -> str:
    """How to see more: for programs, and where a page has all it can have, the cursor; for people a longer page."""
    if console.width is None or limit >= MOST:
        return f"the next page: --cursor {cursor}"
    return f"more of them: --limit {MOST}"
