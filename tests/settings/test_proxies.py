"""One answer for every client: this machine directly, the others as the environment says, what cannot be honored by name."""

import json
from pathlib import Path

import pytest

from bmn.errors import Misconfigured
from bmn.settings import check_start, load_settings
from bmn.settings.proxies import proxy_for
from tests.kit.outgoing import CLIENTS, visit
from tests.kit.terminal import forked
from tests.kit.wire import Wire, answer

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
DEAD = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "way"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "https://api.bfl.ai/v1", "http://p:1"),
        ({"https_proxy": "p:1"}, "https://api.bfl.ai/v1", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://api.bfl.ai/v1", None),
        ({"ALL_PROXY": "http://u:p#w@p:1"}, "http://x.example", "http://u:p%23w@p:1"),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "https://x.example", "http://q:2"),
        ({"ALL_PROXY": "http://p:1"}, "http://127.0.0.1:3000", None),
        ({"ALL_PROXY": "http://p:1"}, "http://127.0.0.2", None),
        ({"ALL_PROXY": "http://p:1"}, "https://[::1]:8443", None),
        ({"ALL_PROXY": "http://p:1"}, "http://localhost.", None),
        ({"ALL_PROXY": "http://p:1"}, "http://localhost.example", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "bfl.ai, x.example"}, "https://api.bfl.ai", None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": ".bfl.ai"}, "https://api.bfl.ai", None),
        ({"ALL_PROXY": "http://p:1", "no_proxy": "*.bfl.ai"}, "https://api.bfl.ai", None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "bfl.ai"}, "https://notbfl.ai", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://10.1.2.3:9000", None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "x.example:8443"}, "https://x.example:8443", None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "x.example:8443"}, "https://x.example", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://x.example", None),
        ({"ALL_PROXY": "socks5h://p:1", "NO_PROXY": "*"}, "https://x.example", None),
        ({"HTTPS_PROXY": " "}, "https://x.example", None),
    ],
)
def test_the_way_to_an_address(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, way: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == way


@pytest.mark.parametrize("text", ["http://", "http://p:port", "http://u:CANARY@p:99999", "http://a:1,b:2", "p\n:1"])
def test_a_proxy_that_cannot_be_read_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", text)
    with pytest.raises(Misconfigured, match="HTTPS_PROXY") as refused:
        load_settings()
    assert "CANARY" not in refused.value.message


@pytest.mark.parametrize("client", CLIENTS)
async def test_another_host_is_reached_through_the_proxy(home: Path, proxying: Wire, client: str) -> None:
    await visit(client, "http://vendor.example")
    assert b" http://vendor.example/" in proxying.seen[0]
    proxying.seen.clear()
    await visit(client, "https://vendor.example")
    assert proxying.seen[0].startswith(b"CONNECT vendor.example:443 ")


@pytest.mark.parametrize("client", CLIENTS)
async def test_this_machine_is_not(home: Path, proxying: Wire, wire: Wire, client: str) -> None:
    wire.answers = [answer(b"{}", 404)]
    await visit(client, wire.url)
    assert proxying.seen == []
    assert wire.seen


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_exception_is_not(
    home: Path, proxying: Wire, wire: Wire, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "vendor.invalid")
    await visit(client, "http://vendor.invalid")
    assert proxying.seen == []


def test_a_socks_proxy_that_nothing_needs_is_named_and_one_that_is_needed_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    (warning,) = check_start(load_settings())
    assert "ALL_PROXY names a socks5h proxy" in warning
    for setting in ({"bfl_api_key": "k"}, {"supabase_url": "https://x.supabase.co"}):
        with pytest.raises(Misconfigured, match=r"ALL_PROXY .* (BFL_BASE_URL|SUPABASE_URL) would need it"):
            check_start(load_settings(**setting))
    monkeypatch.setenv("NO_PROXY", "supabase.co")
    assert check_start(load_settings(supabase_url="https://x.supabase.co"))


def test_a_socks_proxy_ends_serve_by_name_only_where_it_is_needed(home: Path) -> None:
    env = {
        "BMN_HOME": str(home),
        "ALL_PROXY": "socks5h://127.0.0.1:1080",
        "NO_PROXY": "",
        "SUPABASE_URL": "https://x.supabase.co",
    }
    done = forked("serve", "--port", "0", env=env)
    assert done.code == 2
    assert "ALL_PROXY" in done.err
    assert "Traceback" not in done.err
    found = {
        c["name"]: c for c in json.loads(forked("doctor", "--json", env={**env, "SUPABASE_URL": ""}).out)["checks"]
    }
    assert found["Proxies"]["state"] == "warning"
