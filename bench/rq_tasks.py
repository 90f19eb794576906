"""What RQ's own worker runs in the comparison."""

import time
from urllib.request import urlopen


def nothing() -> None:
    return None


def now() -> float:
    return time.time()


def fetch(url: str) -> None:
    with urlopen(url, timeout=10) as answer:
        answer.read()
