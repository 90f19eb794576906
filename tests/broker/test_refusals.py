"""A Redis that answers and refuses: told apart from one that is away, with what mends it; and work goes on without it."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bmn.broker import trial
from bmn.broker.connection import connect, connect_sync
from bmn.broker.embedded import EmbeddedRedis
from bmn.broker.health import RedisHealth
from bmn.broker.redis_refusals import RedisRefusal, refusal_of
from bmn.broker.trial import try_all, try_all_here
from bmn.jobs.submission import check_ready
from bmn.settings import load_settings
from bmn.work.wiring import open_core
from tests.kit.api import Starter
from tests.kit.engine import FAST, Engine
from tests.kit.people import ANA
from tests.kit.processes import free_port
from tests.kit.terminal import forked

EVERYTHING = ("~*", "&*", "+@all")
DENIALS = (
    "-info",
    "-config",
    "-client",
    "-script",
    "-eval",
    "-evalsha",
    "-publish",
    "-subscribe",
    "-xadd",
    "-xread",
    "-blmove",
    "-set",
    "-get",
    "-time",
    "-ping",
    "-multi",
    "-@scripting",
    "-@write",
    "-@pubsub",
    "-@dangerous",
    "-@all",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
def admin(server: EmbeddedRedis) -> Iterator["redis.Redis"]:
    with connect_sync(server.url) as client:
        client.flushall()
        yield client
        client.config_set("maxmemory", 0)
        client.config_set("min-replicas-to-write", 0)
        client.execute_command("REPLICAOF", "NO", "ONE")


def as_user(server: EmbeddedRedis, admin: "redis.Redis", *rules: str) -> str:
    """The URL of a user with these rules."""
    admin.execute_command("ACL", "SETUSER", "worker", "reset", "on", ">word", *rules)
    return f"{server.url}&username=worker&password=word"


def kinds(found: list[RedisRefusal]) -> list[str]:
    return [refusal.kind for refusal in found]


def test_a_redis_as_it_should_be_refuses_nothing(admin: "redis.Redis") -> None:
    assert try_all(admin) == []
    assert list(admin.scan_iter("bmn:trial:*")) == [] or all(
        0 <= int(admin.ttl(key)) <= 5 for key in admin.scan_iter("bmn:trial:*")
    )


def test_the_digest_is_of_the_script_that_was_loaded() -> None:
    (digest,) = [words[1] for words in trial._COMMANDS if words[0] == "EVALSHA"]
    assert digest == hashlib.sha1(b"return 1").hexdigest()


_NOT_ASKED = ("-config", "-client", "-multi")


@pytest.mark.parametrize(
    "rules",
    [
        *((*EVERYTHING, denial) for denial in DENIALS if denial not in _NOT_ASKED),
        ("~bmn:*", "&*", "+@all"),
        ("~*", "+@all"),
        ("~rq:*", "~bmn:*", "&rq:*", "+@all", "-info"),
    ],
)
def test_the_remedy_is_the_line_that_mends_it(
    server: EmbeddedRedis, admin: "redis.Redis", rules: tuple[str, ...]
) -> None:
    with connect_sync(as_user(server, admin, *rules)) as limited:
        (refusal,) = try_all(limited)
        assert refusal.kind == "denied" and refusal.remedy.startswith("ACL SETUSER worker ")
        admin.execute_command(*refusal.remedy.split())
        assert try_all(limited) == []


@pytest.mark.full
@pytest.mark.parametrize("denial", DENIALS)
async def test_jobs_are_taken_and_done_whatever_the_user_may_not(
    home: Path, migrated_sqlite: Path, server: EmbeddedRedis, admin: "redis.Redis", denial: str
) -> None:
    shutil.copy(migrated_sqlite, home / "bmn.sqlite3")
    url = as_user(server, admin, *EVERYTHING, denial)
    settings = load_settings(bmn_home=home, redis_url=url, **FAST, bmn_redis_down_seconds=0)
    core = await open_core(settings, "test")
    engine = Engine(settings, core)
    try:
        assert core.health.down_for() == 0
        check_ready(core)
        async with engine.worker():
            assert await engine.ended(await engine.do()) == ["completed"]
    finally:
        await core.close()


async def test_a_replica_a_full_one_and_a_lonely_one_are_named(server: EmbeddedRedis, admin: "redis.Redis") -> None:
    async with connect(server.url) as client:
        health = RedisHealth(client)
        for set_up, kind, words in (
            (lambda: admin.config_set("maxmemory", 1_000_000), "full", "maxmemory"),
            (lambda: admin.config_set("min-replicas-to-write", 1), "disk", "min-replicas-to-write"),
            (lambda: admin.execute_command("REPLICAOF", "127.0.0.1", str(free_port())), "replica", "REDIS_URL"),
        ):
            set_up()  # type: ignore[no-untyped-call]
            assert kinds(try_all(admin)) == kinds(await try_all_here(client)) == [kind]
            health = RedisHealth(client)
            await health.probe()
            assert health.down_for() == 0
            assert words in health.refusals[0].remedy
            assert health.full is (kind == "full")
            admin.config_set("maxmemory", 0)
            admin.config_set("min-replicas-to-write", 0)
        admin.execute_command("REPLICAOF", "NO", "ONE")
        await health.probe()
        assert health.refusals == ()


def test_a_wrong_password_is_no_outage(home: Path, server: EmbeddedRedis, admin: "redis.Redis") -> None:
    as_user(server, admin, *EVERYTHING)
    with connect_sync(f"{server.url}&username=worker&password=wrong") as client:
        assert kinds(try_all(client)) == ["signin"]
    with connect_sync(server.url.replace("db=0", "db=999")) as client:
        assert kinds(try_all(client)) == ["number"]
    refused = forked(
        "serve", "--port", "0", env={"BMN_HOME": str(home), "REDIS_URL": f"{server.url}&username=worker&password=wrong"}
    )
    assert refused.code == 2 and "password" in refused.err and "=wrong" not in refused.err


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("LOADING Valkey is loading the dataset in memory", "loading"),
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", "disk"),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "master"),
        ("NOAUTH Authentication required.", "signin"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "signin"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "full"),
        ("READONLY You can't write against a read only replica.", "replica"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "cluster"),
        ("MOVED 3999 127.0.0.1:6381", "cluster"),
        ("CLUSTERDOWN Hash slot not served", "cluster"),
        ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "busy"),
        ("NOPERM User x has no permissions to run the 'get' command", "denied"),
        ("ERR something that no release has said yet", "other"),
    ],
)
def test_every_answer_is_an_answer(told: str, kind: str) -> None:
    """As the library reads it off the wire."""
    from redis._parsers.base import BaseParser

    found = refusal_of(BaseParser.parse_error(told))  # type: ignore[no-untyped-call]
    assert found is not None and found.kind == kind and found.remedy


@pytest.mark.parametrize("error", [redis.ConnectionError("refused"), redis.TimeoutError(), OSError(), TimeoutError()])
def test_silence_is_an_outage(error: Exception) -> None:
    assert refusal_of(error) is None


@pytest.mark.parametrize(
    ("option", "kind"), [(("--cluster-enabled", "yes"), "cluster"), (("--rename-command", "BLMOVE", "OTHER"), "denied")]
)
def test_a_cluster_and_a_server_without_a_command(tmp_path: Path, option: tuple[str, ...], kind: str) -> None:
    embedded = EmbeddedRedis(tmp_path / "redis")
    embedded.prepare()
    process = subprocess.Popen([*embedded.command(), *option], stdout=subprocess.DEVNULL)
    try:
        embedded.wait_ready(alive=lambda: process.poll() is None)
        with connect_sync(embedded.url) as client:
            found = try_all(client)
            assert kinds(found) == [kind]
            assert "BLMOVE" in found[0].message or kind == "cluster"
        looked = forked("doctor", "--json", env={"REDIS_URL": embedded.url, "BMN_HOME": str(tmp_path / "home")})
        told = [check for check in json.loads(looked.out)["checks"] if check["name"] == "Redis"]
        assert any(check["state"] == "failed" and check["remedy"] == found[0].remedy for check in told)
        if kind == "cluster":
            refused = forked(
                "serve", "--port", "0", env={"REDIS_URL": embedded.url, "BMN_HOME": str(tmp_path / "home")}
            )
            assert refused.code == 2 and "cluster" in refused.err
    finally:
        process.terminate()
        process.wait()
        embedded.release()


async def test_a_refusal_that_begins_and_ends_while_we_run(server: EmbeddedRedis, admin: "redis.Redis") -> None:
    async with connect(as_user(server, admin, *EVERYTHING)) as client:
        health = RedisHealth(client, every=0.01)
        await health.start()
        try:
            assert health.refusals == ()
            admin.execute_command("ACL", "SETUSER", "worker", "-info", "-ping")
            await health.probe()
            assert kinds(list(health.refusals)) == ["denied"] and health.down_for() == 0
            admin.execute_command("ACL", "SETUSER", "worker", "+info", "+ping")
            await health.probe()
            assert health.refusals == ()
        finally:
            await health.stop()


@pytest.mark.parametrize("denial", ["-info", "-@scripting", "-@write", "-@all"])
async def test_submissions_are_accepted_and_health_says_what_is_refused(
    start: Starter, server: EmbeddedRedis, admin: "redis.Redis", denial: str
) -> None:
    api = await start(redis_url=as_user(server, admin, *EVERYTHING, denial), bmn_redis_down_seconds=0)
    client = api.as_user(ANA)
    job_id = await api.logos(client, await api.brand(client))
    assert (await client.get(f"/api/v1/jobs/{job_id}")).json()["state"] == "queued"
    answer = await api.anonymous().get("/health")
    told = answer.json()
    assert (answer.status_code, told["status"], told["checks"]["redis"]["ok"]) == (200, "degraded", False)
    assert "denies" in told["checks"]["redis"]["error"] and "ACL SETUSER worker" in told["checks"]["redis"]["remedy"]
