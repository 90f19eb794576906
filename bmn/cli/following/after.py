"""What happens once the jobs that were watched have ended: a bell, and a command of the user's."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bmn.cli.terminal.console import console
from bmn.cli.terminal.record_format import short_id
from bmn.schemas.documents import JobRecord

_FAILED = 1


@dataclass(frozen=True, slots=True)
class Afterwards:
    """bell: the terminal's. command: of the shell, run once for each job."""

    bell: bool = False
    command: str | None = None


def conclude(jobs: Sequence[JobRecord], afterwards: Afterwards, code: int) -> int:
    """Does it; answers with the exit code: that of the jobs, or 1 where they went well and a command did not."""
    if afterwards.bell:
        console.bell()
    if afterwards.command is None:
        return code
    failed = [job for job in jobs if not _run(afterwards.command, job)]
    return code or (_FAILED if failed else 0)


def _run(command: str, job: JobRecord) -> bool:
    """The job as JSON on its input, and what names it in its environment. Says how it failed."""
    named = {
        "BMN_JOB_ID": job.job_id,
        "BMN_JOB_STATE": job.state,
        "BMN_QUEUE": job.queue_name,
        "BMN_BRAND_ID": job.brand_id or "",
        "BMN_BRAND": job.brand_name or "",
    }
    out = sys.stderr if console.json else None  # stdout is one document then
    text = job.model_dump_json(by_alias=True)
    sys.stdout.flush()
    done = subprocess.run(
        command, shell=True, check=False, input=text, text=True, env={**os.environ, **named}, stdout=out
    )
    if done.returncode:
        ended = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        console.tell(f"! the command of --exec failed for {short_id(job.job_id)}: {ended}", "yellow")
    return done.returncode == 0
