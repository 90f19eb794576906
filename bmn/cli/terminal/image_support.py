"""How pictures can be shown on this terminal: kitty, iTerm2, sixel, half blocks, or none. Never in a pipe."""

import os
import sys

from bmn.cli.terminal.console import console
from bmn.errors import UsageProblem

MODES = ("auto", "kitty", "iterm", "sixel", "blocks", "none")

_SIXEL_TERMS = ("foot", "mlterm", "contour")


def mode(wanted: str | None = None) -> str:
    """How pictures are shown here: one of MODES without `auto`. wanted: the option; else BMN_IMAGES, else detection."""
    choice = wanted or os.environ.get("BMN_IMAGES") or "auto"
    if choice not in MODES:
        raise UsageProblem(f"BMN_IMAGES={choice!r} is not a way to show pictures.", hint="Ways: " + ", ".join(MODES))
    both_terminals = sys.stdout.isatty() and sys.stderr.isatty()
    if not both_terminals or console.json or console.quiet or console.plain or console.is_dumb:
        return "none"
    return choice if choice != "auto" else _detect()


def _detect() -> str:
    """By what the environment says. The terminal itself is not asked: over a slow line its answer comes when we have gone,
    and lands at the prompt; and who asks from the background is stopped.
    """
    environment = os.environ
    if not console.colored(sys.stderr) or console.in_ci:
        return "none"
    if _in_multiplexer():
        return "blocks"  # they swallow graphics unless passthrough is on
    program = environment.get("TERM_PROGRAM", "").lower()
    term = environment.get("TERM", "")
    if environment.get("KITTY_WINDOW_ID") or "kitty" in term or "ghostty" in (program, term.removeprefix("xterm-")):
        return "kitty"
    if program in ("iterm.app", "wezterm"):
        return "iterm"
    draws_sixel = program == "mintty" or term.startswith(_SIXEL_TERMS) or "WT_SESSION" in environment
    return "sixel" if draws_sixel else "blocks"


def _in_multiplexer() -> bool:
    return bool(os.environ.get("TMUX")) or os.environ.get("TERM", "").startswith(("screen", "tmux"))
