import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from bmn.broker.embedded import CONFIG, EmbeddedRedis
from bmn.errors import Conflict, TryLater
from tests.kit.processes import gone, wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    embedded = EmbeddedRedis(tmp_path / "redis")
    embedded.start()
    yield embedded
    embedded.stop()


def test_it_runs_with_the_packed_settings(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        config = client.config_get("*")
    expected = dict(line.split(" ", 1) for line in CONFIG.read_text().splitlines() if line and line[0] not in "#s")
    expected.update(maxmemory=str(256 * 2**20), logfile=str(server.log_file))
    expected["auto-aof-rewrite-min-size"] = str(64 * 2**20)
    del expected["dynamic-hz"]  # Valkey has dropped it and takes it without a word; Redis has it
    assert {name: config[name] for name in expected} == expected
    assert config["save"] == "900 1 300 10 60 10000"


def test_only_this_user_can_open_it_and_no_port_is(server: EmbeddedRedis) -> None:
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert server.pid
    assert not psutil.Process(server.pid).net_connections(kind="inet")


def test_data_survive_a_stop_and_a_kill(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", 1)
        server.stop()
        server.start()
        assert client.get("kept") == b"1"
        client.set("kept", 2)
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
        assert client.get("kept") == b"2"


def test_two_servers_never_share_a_folder(server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.broker.embedded._LOCK_SECONDS", 0)
    with pytest.raises(Conflict, match="Another embedded Redis"):
        EmbeddedRedis(server.folder).start()
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_a_path_too_long_for_a_socket_goes_to_the_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as runtime:  # short, which a test's own folder is not
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        embedded = EmbeddedRedis(tmp_path / ("long" * 30) / "redis")
        embedded.start()
        try:
            assert embedded.socket.parent.parent == Path(runtime)
            assert stat.S_IMODE(embedded.socket.parent.stat().st_mode) == 0o700
            with redis.Redis.from_url(embedded.url) as client:
                assert client.ping()
        finally:
            embedded.stop()


def test_a_path_with_spaces_and_quotes_works(tmp_path: Path) -> None:
    embedded = EmbeddedRedis(tmp_path / 'it\'s a "home"')
    embedded.start()
    try:
        with redis.Redis.from_url(embedded.url) as client:
            assert client.ping()
    finally:
        embedded.stop()


def test_damaged_data_are_told_with_the_log_and_a_remedy(server: EmbeddedRedis) -> None:
    server.stop()
    manifest = server.folder / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense")
    with pytest.raises(TryLater, match="manifest") as caught:
        server.start()
    assert str(server.folder) in (caught.value.hint or "")


def test_it_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from bmn.broker.embedded import EmbeddedRedis\n"
        "e = EmbeddedRedis(pathlib.Path(sys.argv[1])); e.start(); print(e.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "redis")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        owner.kill()
    wait_until(lambda: gone(pid))
