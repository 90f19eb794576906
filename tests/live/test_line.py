"""What waits for one client, and how a session's place in the stream is told."""

import asyncio
import base64
import json

import jwt
import pytest

from bmn.events.audience import Outgoing, job_event
from bmn.identity.tokens import Principal
from bmn.server.sockets.auth import client_name
from bmn.server.sockets.limits import Bucket, Refusals
from bmn.server.sockets.line import EventPacket, OutgoingLine
from bmn.server.sockets.ring import Entry, Ring
from bmn.server.sockets.server import _is_python_client
from bmn.server.sockets.session import HistoryRange, Session, Sessions, is_pid, new_pid, read_offset


async def drain(line: OutgoingLine) -> list[str]:
    """All that waits, one packet a visit."""
    packets = []
    while not line.empty():
        item = await line.get()
        assert item is not None
        packets.append(item.data)
    return packets


async def test_no_more_leave_together_than_the_client_for_python_takes() -> None:
    line = OutgoingLine()
    for number in range(50):
        line.put_nowait(EventPacket(f"a{number}", None))
    together = [await line.get()]
    with pytest.raises(asyncio.QueueEmpty):
        while True:
            together.append(line.get_nowait())
    assert len(together) == 16


async def test_only_the_latest_progress_of_a_job_waits_for_a_slow_client() -> None:
    line = OutgoingLine()
    for number in range(1000):
        line.put_nowait(EventPacket(f"a{number}", ("/wizard", "a")))
    line.put_nowait(EventPacket("message", None))
    line.put_nowait(EventPacket("a1000", ("/wizard", "a")))
    line.put_nowait(EventPacket("b0", ("/wizard", "b")))
    waiting = await drain(line)
    assert len(waiting) <= OutgoingLine.coalesce_from + 3
    assert waiting[-3:] == ["message", "a1000", "b0"]
    assert line.bytes == 0


async def test_a_client_that_keeps_up_gets_everything() -> None:
    line = OutgoingLine()
    for number in range(50):
        line.put_nowait(EventPacket(f"a{number}", ("/wizard", "a")))
    assert await drain(line) == [f"a{number}" for number in range(50)]


async def test_an_emptied_line_counts_as_done() -> None:
    line = OutgoingLine()
    for number in range(200):
        line.put_nowait(EventPacket(f"a{number}", ("/wizard", "a")))
    line.clear()
    await line.join()
    assert line.bytes == 0


def entry(ms: int, job: str = "j", seq: int = 1, *, volatile: bool = False) -> Entry:
    event = job_event("job:progress", {"jobId": job, "brandId": "b", "seq": seq})
    if volatile:
        event = Outgoing("/admin", ("admin:all",), "system:queue-stats", {}, volatile=True)
    return Entry((ms, 0), event, "")


def test_a_ring_forgets_what_is_older_than_its_window_and_knows_it() -> None:
    ring = Ring(10)
    ring.restart((1, 0))
    for second in range(30):
        ring.add(entry(second * 1000, seq=second + 1))
    assert ring.floor == (18_000, 0)
    assert [found.position[0] for found in ring.after((26_000, 5))] == [27_000, 28_000, 29_000]
    assert ring.beginning("j", 5) == []


def test_a_ring_keeps_nothing_that_ages() -> None:
    ring = Ring(10)
    ring.add(entry(1000, volatile=True))
    assert (len(ring), ring.last) == (0, (1000, 0))


def test_a_ring_tells_a_job_from_its_beginning() -> None:
    ring = Ring(10)
    for seq in range(1, 5):
        ring.add(entry(1000 + seq, seq=seq))
    assert [found.event.seq for found in ring.beginning("j", 4)] == [1, 2, 3]


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "a-b", "1-1.", "1-1.x", " 1-1", "1-1\n", None, 5, "9" * 40 + "-1"]
)
def test_what_is_no_offset(text: object) -> None:
    assert read_offset(text) is None


def test_private_ids_are_long_and_random() -> None:
    pids = {new_pid() for _ in range(1000)}
    assert len(pids) == 1000 and all(is_pid(pid) and len(pid) == 32 for pid in pids)


def test_a_client_has_so_much_of_a_tale() -> None:
    part = HistoryRange("j", before=100, first=3, last=7)
    assert [part.received(told) for told in (0, 100, 102, 105, 900)] == [0, 0, 2, 5, 5]


def session(sid: str, transport: str = "t") -> Session:
    principal = Principal("u", None, "user", 0.0)
    return Session(sid, transport, "/wizard", principal, "token", (0, 0), Bucket(1, 1), rooms={"user:u"})


def test_room_bookkeeping_returns_to_nothing() -> None:
    sessions = Sessions()
    some = [session(f"s{number}", f"t{number}") for number in range(20)]
    for one in some:
        sessions.add(one)
        for room in ("brand:a", f"job:{one.sid}"):
            sessions.enter(one, room)
    assert len(sessions.subscribers("/wizard", ("brand:a", "job:s3"))) == 20
    for one in some:
        sessions.leave(one, "brand:a")
        assert sessions.remove(one)
        assert not sessions.remove(one)
    assert (len(sessions), sessions.room_count(), sessions.of_user("u"), sessions.on_transport("t1")) == (0, 0, 0, [])


def test_who_has_gone_while_a_room_was_looked_up_sits_in_none() -> None:
    """It remembers the room, and has it again where its client comes back."""
    sessions, one = Sessions(), session("s1")
    sessions.add(one)
    sessions.remove(one)
    sessions.enter(one, "job:a")
    assert (sessions.room_count(), one.rooms) == (0, {"user:u", "job:a"})
    sessions.add(other := session("s1"))  # as a resumed one has the same id
    sessions.enter(one, "job:b")
    assert sessions.subscribers("/wizard", ("job:b",)) == set()
    assert sessions.remove(other) and sessions.room_count() == 0


@pytest.mark.parametrize(
    ("headers", "recovers"),
    [
        ({"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)"}, True),
        ({"HTTP_USER_AGENT": "node-XMLHttpRequest"}, True),
        ({"HTTP_UPGRADE": "websocket", "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate"}, True),
        ({"HTTP_UPGRADE": "websocket"}, False),
        ({"HTTP_USER_AGENT": "Python/3.11 aiohttp/3.12"}, False),
        ({"HTTP_USER_AGENT": "python-requests/2.32"}, False),
    ],
)
def test_pythons_own_clients_are_not_given_offsets_unasked(headers: dict[str, str], recovers: bool) -> None:
    assert _is_python_client(headers) is not recovers


def test_who_is_refused_again_and_again_waits_longer_each_time() -> None:
    refusals = Refusals((0, 0, 1, 2))
    assert [refusals.note("ana") for _ in range(6)] == [0, 0, 1, 2, 2, 2]
    assert refusals.note("ben") == 0
    refusals.forget("ana")
    assert refusals.note("ana") == 0


def test_a_client_is_known_by_where_it_calls_from_and_whose_token_it_shows() -> None:
    ana, again = (jwt.encode({"sub": "ana", "n": n}, "k" * 32, algorithm="HS256") for n in (1, 2))
    known = [client_name("::1", "/wizard", {"token": token}) for token in (ana, again)]
    assert known[0] == known[1] != client_name("::1", "/admin", {"token": ana})
    for nothing in (None, [], {}, {"token": 5}, {"token": "x" * 5000}):
        assert client_name("::1", "/wizard", nothing) == "::1 /wizard "


@pytest.mark.parametrize("subject", ["x" * 8000, [[]] * 4000, {"sub": "x"}, 1, None])
def test_a_refused_client_is_named_by_no_more_of_its_token_than_is_ever_looked_at(subject: object) -> None:
    """Decoding what is too long for a token would hold everybody up, and so would the name of a list."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).decode().rstrip("=")
    assert client_name("::1", "/wizard", {"token": f"eyJhbGciOiJIUzI1NiJ9.{claims}.AA"}) == "::1 /wizard "
