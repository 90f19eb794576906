"""The first provider of an order stops taking our key while it has orders: nobody waits for it, nothing is ordered twice."""

from collections import Counter

import pytest

from bmn.db.operators import queue_store
from tests.chaos.deployment import LOGOS, Deployment, Start

pytestmark = pytest.mark.full


async def test_a_key_refused_in_mid_flight_holds_nobody_up_and_bills_nothing_twice(start: Start) -> None:
    stack = await start(BMN_PROVIDERS=f"{LOGOS}=bfl,openai")
    for _ in range(2):
        stack.worker(slots=4)
    begun = [await stack.logos(4) for _ in range(3)]
    await stack.until(lambda: _has_ordered(stack, 2))
    for op in ("submit", "poll"):
        stack.fault(op=op, status=401)
    later = [await stack.logos(4) for _ in range(3)]
    assert set(await stack.ended(*later)) == {"completed"}
    assert await stack.read(lambda conn: queue_store.get_pause(conn, LOGOS)) is None

    stack.clear_faults()
    assert set(await stack.ended(*begun)) == {"completed"}  # what they had ordered is fetched from where it was made
    units = [unit for job_id in begun + later for unit in await stack.units(job_id)]
    bills = {name: stack.bill(name) for name in ("bfl", "openai")}
    assert Counter(unit.provider for unit in units) == {name: len(rows) for name, rows in bills.items()}
    assert sum(map(len, bills.values())) == len(units) == 24
    jobs = [await stack.job(job_id) for job_id in begun + later]
    paid = sum(row["usd"] for rows in bills.values() for row in rows)
    assert sum(job.cost_usd for job in jobs) == pytest.approx(paid)
    assert [job.credits_charged for job in jobs] == [4] * 6

    async def made_by_the_first_again() -> bool:
        job_id = await stack.logos(1)
        await stack.ended(job_id)
        return [unit.provider for unit in await stack.units(job_id)] == ["bfl"]

    await stack.until(made_by_the_first_again)
    await stack.check(served=[LOGOS])


async def _has_ordered(stack: Deployment, number: int) -> bool:
    return len(stack.bill()) >= number
