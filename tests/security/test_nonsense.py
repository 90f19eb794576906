"""A short run of the fuzz: whatever stands at the door, nothing is a fault of ours and everybody else is answered."""

import asyncio
import random
import time

import httpx

from bench.fuzz import Fuzz
from tests.security.target import Target

SECONDS, AT_ONCE = 5, 8


def test_nonsense_is_no_fault_of_ours(target: Target) -> None:
    address = httpx.URL(target.url)
    fuzzes = [Fuzz(random.Random(f"1/{number}"), address.host, address.port or 80) for number in range(AT_ONCE)]

    async def run() -> None:
        until = time.monotonic() + SECONDS
        await asyncio.gather(*(fuzz.run(until) for fuzz in fuzzes))

    asyncio.run(run())
    assert sum(sum(fuzz.answers.values()) for fuzz in fuzzes) > AT_ONCE
    assert not [defect for fuzz in fuzzes for defect in fuzz.defects]
    assert httpx.get(f"{target.url}/health/live", trust_env=False).status_code == 200
