"""What the shell's completion offers of the running server: job ids, within 200 ms, remembered for ten seconds."""

import json
import os
import time
from pathlib import Path
from typing import Any

from bmn.cli.terminal.format import GENERATORS, short_id

_BUDGET = 0.2
_REMEMBERED = 10.0


def job_names(incomplete: str) -> list[tuple[str, str]]:
    """The newest jobs whose short id begins so, and the words that name one. Offers nothing rather than failing."""
    items = [("last", "the newest job"), ("last:failed", "the newest failed one")]
    items += [(short_id(job["jobId"]), _describe(job)) for job in _newest()]
    return [(name, text) for name, text in items if name.startswith(incomplete)]


def _describe(job: dict[str, Any]) -> str:
    return f"{job['state']} {job['queueName']} {job.get('brandName') or ''}".rstrip()


def _memory() -> Path:
    import platformdirs

    return Path(os.environ.get("BMN_HOME") or platformdirs.user_data_dir("bmn")) / "completion.json"


def _newest() -> list[dict[str, Any]]:
    path = _memory()
    try:
        if time.time() - path.stat().st_mtime < _REMEMBERED:
            remembered: list[dict[str, Any]] = json.loads(path.read_text())
            return remembered
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


def _ask() -> list[dict[str, Any]] | None:
    """None where there is no answer in time."""
    import asyncio

    from bmn.cli.lookup.session import open_client
    from bmn.errors import BmnError

    async def fetch() -> list[dict[str, Any]]:
        async with asyncio.timeout(_BUDGET), open_client() as client:
            found = (await client.get("/jobs", queue=GENERATORS, limit=20))["jobs"]
            return [{key: job.get(key) for key in ("jobId", "state", "queueName", "brandName")} for job in found]

    try:
        return asyncio.run(fetch())
    except (BmnError, TimeoutError):
        return None
