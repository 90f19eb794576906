"""Percentiles, and one way to print them."""

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def row(name: str, seconds: Sequence[float], *, note: str = "") -> str:
    """One line: p50, p99 and the largest, in milliseconds."""
    p50, p99, most = (1000 * value for value in (percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds)))
    return f"{name:<42} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms   max {most:8.2f} ms   {note}"
