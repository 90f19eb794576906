"""Two users, every event in both directions: nothing of one is reached, told or guessed by the other.

The events come from the handlers and the schemas, so a new one is asked here without a word.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from bmn.events.audience import (
    Outgoing,
    asset_new,
    brand_updated,
    credits_updated,
    kit_updated,
    queue_stats,
    system_alert,
    system_error,
)
from bmn.schemas.events import ADMIN, ADMIN_EVENTS, DASHBOARD, DASHBOARD_EVENTS, JOB_EVENTS, WIZARD, JobFailed
from bmn.server.sockets.app import _HANDLERS
from tests.kit.people import ANA, BEN
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw
from tests.kit.rows import saved_kit, saved_logo
from tests.live.servers import Live

ASKED = [(namespace, event) for namespace, handlers in _HANDLERS.items() for event in handlers]
# Who sits in no such room leaves it with the same words; the room of all of one's jobs names nobody.
HARMLESS = {"brand:leave", "brand:unwatch", "group:leave", "group:unwatch", "job:leave", "user:join", "user:leave"}


async def joined(live: Live, server: Any, namespace: str, user_id: str, role: str = "user") -> Raw:
    raw = await Raw.open(server)
    assert '"sid"' in await raw.join(namespace, live.token(user_id, role))
    return raw


def asking(namespace: str, event: str, brand: str, job: str, group: str) -> str:
    named = {"brandId": brand, "jobId": job, "groupId": group, "queueName": "logo-generation"}
    return f"42{namespace},7{json.dumps([event, named])}"


@pytest.mark.parametrize(("namespace", "event"), [pair for pair in ASKED if pair[0] != ADMIN])
async def test_what_is_somebody_elses_is_answered_like_what_is_not_there(
    bare: Live, namespace: str, event: str
) -> None:
    server = await bare.server()
    brand = await bare.brand(ANA)
    group = str(uuid4())
    job = await bare.job(ANA, brand, group_id=group)
    ben = await joined(bare, server, namespace, BEN)
    foreign = await ben.ask(asking(namespace, event, brand, job, group))
    absent = await ben.ask(asking(namespace, event, str(uuid4()), f"logo-{uuid4()}", str(uuid4())))
    assert foreign == absent
    assert foreign == {"ok": True} if event in HARMLESS else "error" in foreign
    ana = await joined(bare, server, namespace, ANA)
    assert "error" not in await ana.ask(asking(namespace, event, brand, job, group)), (
        "there was something to be reached"
    )


@pytest.mark.parametrize("event", [event for namespace, event in ASKED if namespace == ADMIN])
async def test_what_admins_ask_is_known_to_nobody_elses_namespace(bare: Live, event: str) -> None:
    server = await bare.server()
    assert "Admin access required" in await (await Raw.open(server)).join(ADMIN, bare.token(BEN))
    for namespace in (WIZARD, DASHBOARD):
        ben = await joined(bare, server, namespace, BEN)
        assert await ben.ask(asking(namespace, event, str(uuid4()), await bare.job(), str(uuid4()))) == {
            "error": "Unknown event"
        }


async def heard(raw: Raw, last: Callable[[dict[str, Any]], bool]) -> list[str]:
    """The names of the events up to one, which is not among them."""
    names: list[str] = []
    while True:
        packet = await asyncio.wait_for(raw.read(), PATIENCE)
        if packet.startswith("42"):
            name, data, *_ = json.loads(packet.partition(",")[2])
            if last(data):
                return names
            names.append(name)


async def test_every_event_of_one_user_is_told_to_that_user_alone(bare: Live) -> None:
    server = await bare.server()
    brand = await bare.brand(ANA)
    kit = saved_kit(ANA, brand)
    job = await bare.job(ANA, brand, group_id=kit.id)
    rooms = {
        WIZARD: ("job:join", "brand:join", "group:join", "user:join"),
        DASHBOARD: ("brand:watch", "group:watch"),
    }
    crowd: dict[tuple[str, str], Raw] = {}
    for user in (ANA, BEN):
        for namespace, joins in rooms.items():
            raw = crowd[user, namespace] = await joined(bare, server, namespace, user)
            for join in joins:
                await raw.ask(asking(namespace, join, brand, job, kit.id))
    crowd[BEN, ADMIN] = await joined(bare, server, ADMIN, BEN, "admin")

    for name in JOB_EVENTS:
        await bare.publish(job, name)
    asset = saved_logo(brand, "https://cdn.example/a.png")
    of_ana = [credits_updated(ANA, 16, 4), brand_updated(ANA, brand, "status", None), asset_new(ANA, asset)]
    of_ana.append(kit_updated(kit))
    error = system_error(queue="logo-generation", job_id=job, error="away", cause="bug", attempts=3, user_id=ANA)
    of_admins = [error, system_alert("cost-spike", "x", "warn"), queue_stats({})]
    assert [{event.event for event in told} for told in (of_ana, of_admins)] == [
        set(DASHBOARD_EVENTS),
        set(ADMIN_EVENTS),
    ]
    ends = [Outgoing(namespace, (f"user:{user}",), "end", {"end": 1}) for user, namespace in crowd]
    await bare.core.stream.publish([*of_ana, *of_admins, *ends])

    told = {key: await heard(raw, lambda data: "end" in data) for key, raw in crowd.items()}
    assert told == {
        (ANA, WIZARD): [*JOB_EVENTS, JobFailed.EVENT],  # a cancel is told as a failure too
        (ANA, DASHBOARD): [event.event for event in of_ana],
        (BEN, WIZARD): [],
        (BEN, DASHBOARD): [],
        (BEN, ADMIN): [event.event for event in of_admins],
    }
