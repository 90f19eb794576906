"""Matrix row 37, as long as a test may take: eight schedules of the soak, always the same ones, with every kind of fault."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

_KINDS = {
    *("kill_worker", "stop_worker", "freeze_worker", "kill_api", "kill_redis", "empty_redis"),
    *("break_provider", "lose_answer"),
}


@pytest.mark.timeout(600)
async def test_eight_schedules_of_the_soak() -> None:
    command = [sys.executable, "-m", "tests.chaos.soak", "--schedules", "8", "--seed", "13"]
    soak = await asyncio.create_subprocess_exec(
        *command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await soak.communicate()
    said = out.decode(errors="replace")
    assert soak.returncode == 0, said[-5000:]
    assert set(re.findall(r"'(\w+)': \d", said)) >= _KINDS, "take seeds whose faults are of every kind"
