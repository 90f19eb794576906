"""How many unknown keys one address may show: each costs a look into the database, whoever asks."""

import time
from dataclasses import dataclass, field

from bmn.errors import RateLimited

_A_MINUTE = 60.0
_MOST = 30  # unknown keys a minute and address: more than any mistake makes, and nothing to who guesses
_MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class Guesses:
    """One per process. A key that was good here before is looked up in any case, so guessing shuts nobody else out."""

    _good: set[str] = field(default_factory=set)
    _bad: dict[str, tuple[float, int]] = field(default_factory=dict)

    def check(self, key_id: str, address: str | None) -> None:
        """Before a key is looked up. Raises RateLimited."""
        if not address or key_id in self._good:
            return
        since, count = self._bad.get(address, (0.0, 0))
        left = since + _A_MINUTE - time.monotonic()
        if left > 0 and count >= _MOST:
            raise RateLimited(
                "Too many keys that nobody has.", retry_after=max(1, round(left)), hint="Is it another deployment's?"
            )

    def note(self, key_id: str, address: str | None, *, known: bool) -> None:
        """After a key was looked up."""
        if known:
            if len(self._good) >= _MOST_ADDRESSES:
                self._good.clear()
            self._good.add(key_id)
        elif address:
            now = time.monotonic()
            since, count = self._bad.get(address, (now, 0))
            if now - since >= _A_MINUTE:
                since, count = now, 0
            if len(self._bad) >= _MOST_ADDRESSES:
                self._bad.clear()
            self._bad[address] = since, count + 1
