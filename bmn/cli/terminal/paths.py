"""How paths look on a terminal: as short as they can be typed, and never broken inside of a name."""

from pathlib import Path

from bmn.cli.terminal.console import console


def shown(path: Path) -> str:
    """A path from the current folder, or with `~`; in a pipe as it is, since `~` means something to a shell only."""
    if console.width is None or not path.is_absolute():
        return str(path)
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return f"{prefix}{path.relative_to(base)}"
    return str(path)


def folder_lines(folder: Path) -> list[str]:
    """A folder that files are named below; where it is wider than the terminal, in lines that end with a slash."""
    lines, width = ["in "], console.width or 80
    for part in f"{shown(folder)}/".split("/")[:-1]:
        if len(lines[-1]) + len(part) + 1 > width and lines[-1].strip() not in ("", "in"):
            lines.append("   ")
        lines[-1] += f"{part}/"
    return lines
