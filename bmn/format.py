"""Numbers in words: how many, how much, how long. For the command line, the pages and the API's sentences alike."""

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGER = "longer than usual"
_SPAN = re.compile(r"([0-9]*(?:\.?[0-9]+))([smhdw])", re.IGNORECASE)


def count(number: int, noun: str) -> str:
    """`1 logo`, `3 logos`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counted(number: int, *, exact: bool) -> str:
    """`42`, or `10,000+` where counting stopped."""
    return str(number) if exact else f"{number:,}+"


def usd(amount: float | None) -> str:
    """Cents where they say something, more digits where they would say nothing."""
    value = float(amount or 0)
    return f"${value:.2f}" if value >= 0.1 or round(value, 2) == round(value, 5) else f"${value:.3f}"


def against(cost: float, expected: float | None) -> str:
    """`$0.03 of $0.12`: what was charged of what was expected; alone where nothing was."""
    return f"{usd(cost)} of {usd(expected)}" if expected else usd(cost)


def price(amount: float) -> str:
    """For who only wants their pictures: no fractions of a cent."""
    return f"${amount:.2f}" if amount == 0 or amount >= 0.01 else "under $0.01"


def duration(seconds: float, *, whole: bool = False) -> str:
    """`0.4 s`, `22 s`, `1 m 52 s`, `2 h 5 m`, `3 d 4 h`. whole: no tenths, for what counts while one looks."""
    if seconds < 10 and not whole:
        return f"{seconds:.1f} s"
    rounded = max(0, int(seconds)) if whole else round(seconds)
    for size, unit, next_size, next_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if rounded >= size:
            rest = rounded % size // next_size
            return f"{rounded // size} {unit} {rest} {next_unit}" if rest else f"{rounded // size} {unit}"
    return f"{rounded} s"


def time_left(passed: float, usual: float) -> str:
    """`about 12 s left`, or that it takes longer than usual. Seconds both; half of the jobs before took the usual time."""
    left = usual - passed
    return f"about {duration(left, whole=True)} left" if left >= 1 else LONGER


def parse_span(text: str) -> float:
    """Seconds of `90s`, `10m`, `1h30m`, `2d`, or a bare number of seconds. Raises ValueError."""
    text = text.strip().replace(" ", "")
    if re.fullmatch(r"[0-9]*\.?[0-9]+", text, re.ASCII):
        return float(text)
    parts = _SPAN.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        raise ValueError(f"{text!r} is not a time span; write it like 90s, 10m, 2h or 3d")
    return sum(float(amount) * _UNITS[unit.lower()] for amount, unit in parts)


def spoken(seconds: float) -> str:
    """A duration as people say it: `12 seconds`, `3 minutes`."""
    whole = max(1, round(seconds))
    return count(whole, "second") if whole < 90 else count(round(whole / 60), "minute")
