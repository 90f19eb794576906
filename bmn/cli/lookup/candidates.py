"""What the shell's completion offers of the running server: job ids, within 200 ms, remembered for ten seconds."""

import json
import os
import time
from pathlib import Path

from bmn.cli.terminal.record_format import short_id

_BUDGET = 0.2
_REMEMBERED = 10.0
_TYPED = 4  # characters by which a job is looked up


def job_names(incomplete: str) -> list[tuple[str, str]]:
    """The newest jobs whose short id begins so, and the words that name one. Offers nothing rather than failing."""
    items = [("last", "the newest job"), ("last:failed", "the newest failed one"), *_newest()]
    found = [(name, text) for name, text in items if name.startswith(incomplete)]
    # The newest ones are not all of them: what begins otherwise is asked for by its beginning.
    return found or (_ask(incomplete) or [] if len(incomplete) >= _TYPED else [])


def _memory() -> Path:
    import platformdirs

    return Path(os.environ.get("BMN_HOME") or platformdirs.user_data_dir("bmn")) / "completion.json"


def _newest() -> list[tuple[str, str]]:
    """Short ids, each with its job in a few words."""
    path = _memory()
    try:
        if time.time() - path.stat().st_mtime < _REMEMBERED:
            return [(str(name), str(text)) for name, text in json.loads(path.read_text())]
    except (OSError, ValueError):
        pass
    jobs = _ask()
    if jobs is None:
        return []  # too slow this time is not remembered as nothing
    try:
        path.write_text(json.dumps(jobs))
    except OSError:
        return jobs  # nothing is remembered, which costs the next completion 200 ms
    return jobs


def _ask(beginning: str | None = None) -> list[tuple[str, str]] | None:
    """The newest jobs, or those whose id begins so; None where there is no answer in time."""
    import asyncio

    from bmn.cli.lookup.server_lookup import open_client
    from bmn.errors import BmnError
    from bmn.schemas.generators import KIND_OF

    async def fetch() -> list[tuple[str, str]]:
        async with open_client() as client, asyncio.timeout(_BUDGET):
            found = (await client.jobs(queue=[*KIND_OF], prefix=beginning, limit=20)).jobs
        return [
            (short_id(job.job_id), f"{job.state} {job.queue_name} {job.brand_name or ''}".rstrip()) for job in found
        ]

    try:
        return asyncio.run(fetch())
    except (BmnError, TimeoutError):
        return None
