"""What every test stands on: a private home, a real Redis, SQLite and PostgreSQL, and no setting of the machine."""

import asyncio
import functools
import gc
import os
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import hypothesis
import psycopg
import pytest
import redis

from bmn.settings import Settings

# Each client of httpx reads all authorities again, for 20 ms of processor; the tests' many share one context.
httpx._transports.default.create_ssl_context = functools.cache(httpx.create_ssl_context)  # type: ignore[attr-defined]
# No test has a limit of its own: an example takes as long as a busy neighbour lets it.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

pytest.register_assert_rewrite("tests.kit")

if TYPE_CHECKING:
    from tests.kit.databases import EmptyDatabases
    from tests.kit.wire import Wire

for _name in list(os.environ):
    if _name.lower() in Settings.model_fields or _name in ("NODE_ENV", "SUPABASE_SERVICE_ROLE_KEY"):
        del os.environ[_name]
os.environ.update(NO_PROXY="127.0.0.1,localhost", BMN_ENV="development", COLUMNS="100")
# Where `nohup` or a shell's `&` made this process deaf to these, its children would be too, and the programs respect that.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)


_FOLDER = Path(__file__).parent
_FULL = (
    *("acceptance/", "chaos/", "packaging/"),
    *("broker/test_sentinels", "handlers/test_outages", "handlers/test_second_provider", "handlers/test_told"),
    *("jobs/test_isolated", "jobs/test_ordered_then_cancelled", "jobs/test_rq_tools", "providers/test_video"),
    *("sandbox/test_media", "sandbox/test_video"),
    *("cli/test_asking", "cli/test_generators", "cli/test_mcp", "cli/test_operating", "cli/test_private_stack"),
    *("cli/test_profiles", "server/test_crawler"),
    *("cli/test_screens", "cli/test_serve", "cli/test_story", "cli/test_streams", "cli/test_terminals"),
    *("cli/test_watch", "cli/test_why"),
    *("test_docs_walk", "test_examples", "test_observability"),
)
"""For `make check` alone: each test starts an installation or programs, has films or many pictures drawn, or asks every
route as everybody. Elsewhere a test has the marker `full`, or needs Node."""
_ON_BOTH = ("db/", *(f"jobs/test_{name}" for name in ("bulk", "cancel", "dead_letter", "submission", "sweeper")))
"""Where `make test` has tests run on PostgreSQL too: what they are about is rows. `make check` has every test run there."""
_FULL_TOO = ("chaos", "node", "browser", "timed")
# A file is one worker's business, and the last to end decides: so the longest come first, and the rooms of long ones.
_FIRST = (
    *("chaos/test_soak", "chaos/test_kills", "chaos/test_line", "pages/test_browser", "cli/test_screens"),
    *("cli/test_why", "test_docs_walk", "cli/", "chaos/", "pages/", "acceptance/", "test_", "jobs/", "live/"),
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """True for a file of which this run leaves every test out: to import it takes longer than many a test.

    Of what was named by hand none is: pytest takes that for a mistake.
    """
    if not collection_path.match("test_*.py") or config.args_source is pytest.Config.ArgsSource.ARGS:
        return None
    left_out = config.option.markexpr == "not full" and _name(collection_path).startswith(_FULL)
    if config.getoption("--timed") == "only":
        left_out = left_out or "mark.timed" not in collection_path.read_text()
    return left_out or None


def _name(path: Path) -> str:
    return path.relative_to(_FOLDER).as_posix()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without the collector, which would look through every module again and again; they stay, so it never has to."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--timed",
        choices=["with", "without", "only"],
        default="with",
        help="tests that have a time limit of their own: with all others, left out, or by themselves",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if (wanted := config.getoption("--timed")) != "with":
        left_out = [item for item in items if (item.get_closest_marker("timed") is None) == (wanted == "only")]
        config.hook.pytest_deselected(items=left_out)
        away = set(left_out)
        items[:] = [item for item in items if item not in away]
    for item in items:
        full = _name(item.path).startswith(_FULL) or any(item.get_closest_marker(marker) for marker in _FULL_TOO)
        if full or (_is_second(item) and not _name(item.path).startswith(_ON_BOTH)):
            item.add_marker(pytest.mark.full)

    def rank(item: pytest.Item) -> int:
        name = _name(item.path)
        return next((number for number, start in enumerate(_FIRST) if name.startswith(start)), len(_FIRST))

    items.sort(key=rank)


def _is_second(item: pytest.Item) -> bool:
    """True for a test on PostgreSQL that runs on SQLite as well."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("database_url") == "postgresql"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The ten slowest files, by the time their tests took one after the other."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    if len(seconds) > 1:
        terminalreporter.section("slowest files")
        for name, took in seconds.most_common(10):
            terminalreporter.line(f"{took:7.1f} s  {name}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BMN_HOME of this test's own, and a working folder without a `.env`."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("BMN_HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from bmn.broker.embedded import EmbeddedRedis

    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """An empty Redis. The process is shared by the session, its contents are not."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield redis_server
        client.flushall()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running PostgreSQL, without a database name at its end."""
    from tests.kit.postgres import running_postgres

    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox that the session's tests share."""
    from tests.kit.sandbox import running

    with running(tmp_path_factory.mktemp("sandbox")) as started:
        yield started.url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file to copy."""
    from bmn.db.migrations import migrate

    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> "EmptyDatabases":
    """Empty databases to lend."""
    from bmn.db.migrations import migrate
    from tests.kit.databases import EmptyDatabases

    with psycopg.connect(f"{postgres_server}/postgres".replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute("CREATE DATABASE migrated")
    migrate(f"{postgres_server}/migrated")
    return EmptyDatabases(postgres_server, "migrated")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database; each test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "test.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server: str = request.getfixturevalue("postgres_server")
    databases: EmptyDatabases = request.getfixturevalue("migrated_postgres")
    with databases.lend() as name:
        yield f"{server}/{name}"


@pytest.fixture
async def proxying(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Wire"]:
    """An HTTP proxy that the environment names; it writes down what it is asked, and knows no way."""
    from tests.kit.wire import Wire, answer

    wire = Wire(answers=[answer(b"", 502)])
    server = await asyncio.start_server(wire.handle, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, wire.url)
    yield wire
    server.close()
