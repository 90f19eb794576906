"""The pictures and videos of a batch in one folder, written as each row delivers; what is there already is left alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bmn.cli.following.gallery import Gallery
from bmn.cli.following.kit_files import deliver
from bmn.cli.following.outcomes import WAITS, Outcome
from bmn.cli.following.output_files import stem_for
from bmn.cli.lookup.asset_lookup import numbered
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import NotFound, RateLimited
from bmn.schemas.generators.logos import KIND as LOGOS

T = TypeVar("T")
_DELIVERED = {"logos": frozenset({"completed", "partial"}), "kit": WAITS | {"done", "cancelled"}}


async def patient(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks, and waits as long as a limit of requests takes: a file of rows is more than a minute's worth."""
    while True:
        try:
            return await ask()
        except RateLimited as limit:
            console.say(f"a limit is reached: going on in {limit.retry_after} s")
            await asyncio.sleep(limit.retry_after)


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """Where the files of a batch go. what: `logos` or `kit`. out: the folder; None writes none."""

    client: Client
    what: str
    out: Path | None

    async def save(self, outcomes: Sequence[Outcome]) -> bool:
        """Writes what rows have delivered since they were last written; whether there was anything."""
        if self.out is None:
            return False
        due = [each for each in outcomes if each.state in _DELIVERED[self.what] and not _is_there(each, self.out)]
        for each in due:
            try:
                paths = await patient(lambda: self._written(each))  # noqa: B023
            except NotFound:
                continue  # older than records are kept
            each.files, each.written_at = [str(path) for path in paths], each.state
        return bool(due)

    async def _written(self, outcome: Outcome) -> list[Path]:
        assert self.out is not None and outcome.id is not None
        if self.what == "kit":
            made = await deliver(self.client, await self.client.kit(outcome.id), self.out, "none")
            return [path for _, path in made.files if path]
        job = await self.client.job(outcome.id)
        stem = stem_for(outcome.brand, LOGOS.noun)
        return await Gallery(self.client, "none").save(numbered(job.assets), self.out, stem, job.job_id)


def _is_there(outcome: Outcome, folder: Path) -> bool:
    """Whether all that it has delivered so far lies in this folder."""
    paths = [Path(name) for name in outcome.files]
    return outcome.written_at == outcome.state and all(path.parent == folder and path.is_file() for path in paths)
