"""Matrix row 37, as long as a test may take: twenty schedules of the soak, always the same ones."""

import asyncio
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
async def test_twenty_schedules_of_the_soak() -> None:
    command = [sys.executable, "-m", "tests.chaos.soak", "--schedules", "20", "--seed", "1"]
    soak = await asyncio.create_subprocess_exec(
        *command, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await soak.communicate()
    assert soak.returncode == 0, said.decode(errors="replace")[-5000:]
