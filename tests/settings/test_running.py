"""Whether a stack runs in a home: its lock says so, and no process id."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bmn.errors import Conflict
from bmn.local.home import home_lock, listen, published
from bmn.settings import Settings, load_settings
from bmn.settings.running import Running, is_held

REDIS = "redis://127.0.0.1:7/0"


def left_behind(settings: Settings, **fields: object) -> None:
    """serve.json and serve.lock of a server that was killed."""
    settings.state_file.write_text(json.dumps({"redis_url": REDIS, "api_url": "http://127.0.0.1:7", **fields}))
    settings.state_file.with_name("serve.lock").write_text(json.dumps({"pid": os.getpid()}))


_PIDS = {"ours": os.getpid(), "init": 1, "nobody": 2**22 + 1, "text": "no number", "none": None}


@pytest.mark.parametrize("pid", _PIDS.values(), ids=_PIDS)
def test_a_killed_server_is_not_believed_whoever_has_its_process_id_now(home: Path, pid: object) -> None:
    left_behind(load_settings(), pid=pid)
    settings = load_settings()
    assert settings.running == Running()
    assert settings.redis_address == ""
    assert settings.own_address == "http://127.0.0.1:3000"


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"redis_url": "x"'])
def test_what_is_no_document_of_ours_is_not_believed(home: Path, text: str) -> None:
    settings = load_settings()
    with home_lock(settings, "bmn serve"):
        settings.state_file.write_text(text)
        assert settings.running == Running()


def test_a_server_is_believed_while_it_holds_the_lock_and_no_longer(home: Path) -> None:
    ours = load_settings()
    with home_lock(ours, "bmn serve"):
        with published(ours, {"redis_url": REDIS, "api_url": "http://127.0.0.1:7"}):
            left = ours.state_file.read_text().replace(str(os.getpid()), str(2**22 + 1))
            ours.state_file.write_text(left)  # as another container sees it: no such process there
            assert load_settings().redis_address == REDIS
        ours.state_file.write_text(left)  # it was killed and could not tidy up
        assert is_held(ours.bmn_home)
    assert not is_held(ours.bmn_home)
    assert load_settings().redis_address == ""


def test_asking_whether_a_home_is_held_takes_it_from_nobody(home: Path) -> None:
    settings = load_settings()
    with home_lock(settings, "bmn generate"):
        assert all(is_held(settings.bmn_home) for _ in range(10))
        with pytest.raises(Conflict, match="bmn generate"), home_lock(settings, "bmn serve"):
            pass
    with home_lock(settings, "bmn serve"):
        assert is_held(settings.bmn_home)


def test_a_configured_redis_wins_over_a_running_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = load_settings()
    with home_lock(ours, "bmn serve"), published(ours, {"redis_url": REDIS}):
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:8/0")
        assert load_settings().redis_address == "redis://127.0.0.1:8/0"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_any_address_is_one_of_both_kinds() -> None:
    with listen("::", 0) as listener:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, listener.getsockname()[1]), timeout=5).close()


def test_a_server_takes_the_files_it_may_have_and_says_where_they_are_too_few(home: Path) -> None:
    program = (
        "import resource, sys; from bmn.settings import load_settings; from bmn.local.start import check_before_start;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])));"
        "print(check_before_start(load_settings()), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )

    def started(hard: int) -> "subprocess.CompletedProcess[str]":
        env = {**os.environ, "BMN_HOME": str(home)}
        return subprocess.run([sys.executable, "-c", program, str(hard)], env=env, capture_output=True, text=True)

    assert started(2048).stdout == "[] 2048\n"
    assert "may have only 256 files" in started(256).stdout
    refused = started(64)
    assert refused.returncode and "A process may have 64 files" in refused.stderr
