"""The whole service at once: `bmn doctor --deep`, and `bmn top` on real terminals."""

import json
from collections.abc import Iterator

import pytest

from bmn.cli.following.faults import faults_of
from bmn.schemas.documents import ProviderCallRecord
from tests.kit.processes import wait_until
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import Output, Terminal, forked, on_terminal

pytestmark = pytest.mark.full

CANARY = "sk-canary-0123456789abcdef"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("fleet")
    running = start(home, "--port", "0")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ana(stack: Stack) -> User:
    """Somebody with a dead letter."""
    user = User(stack)
    user.json("brands", "create", "Acme")
    stack.fault(provider="bfl", op="submit", status=500)
    assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1").code == 1
    stack.mend()
    return user


def _worst(done: Output) -> dict[str, tuple[str, str]]:
    """Name of each check -> state and message, the worst of several."""
    order = ("ok", "warning", "failed")
    checks = sorted(json.loads(done.out)["checks"], key=lambda check: order.index(check["state"]))
    return {check["name"]: (check["state"], check["message"]) for check in checks}


def test_deep_sends_a_job_by_every_worker_and_says_that_the_fleet_works(stack: Stack) -> None:
    done = forked("doctor", "--deep", env=stack.env)
    assert done.code == 0, done.out
    assert done.out.endswith("the fleet works\n")
    found = _worst(forked("doctor", "--deep", "--json", env=stack.env))
    assert found["Probe"][0] == "ok"
    assert "each carried a job" in found["Probe"][1]
    assert {found[name][0] for name in ("Stuck", "Orphans", "Public URL", "Workers")} == {"ok"}
    assert found["Public URL"][1] == f"{stack.api_url} leads back to this service"


def test_deep_asks_providers_and_tells_what_does_not_work(stack: Stack) -> None:
    """A key that is taken, one that is refused, and a provider that is not there; the way back leads elsewhere."""
    env = {
        **stack.env,
        "BFL_API_KEY": CANARY,
        "BFL_BASE_URL": stack.sandbox_url,
        "RESEND_API_KEY": CANARY,
        "RESEND_API_URL": "http://127.0.0.1:1",
        "PUBLIC_URL": stack.sandbox_url,
    }
    stack.fault(provider="bfl", op="credits", status=401)
    try:
        done = forked("doctor", "--deep", env=env)
    finally:
        stack.mend()
    assert done.code == 1
    assert CANARY not in done.out + done.err
    assert "bfl refuses the key (401)" in done.out
    assert "resend does not answer" in done.out
    assert done.out.endswith("the fleet does not work: Provider, Public URL\n")
    told = [check["message"] for check in json.loads(forked("doctor", "--deep", "--json", env=env).out)["checks"]]
    assert any(message.startswith("bfl takes the key, ") for message in told)


def _shows(screen: Terminal, *words: str) -> None:
    """Waits until all of them stand on the screen as it is now."""
    screen.wait_for(lambda _: all(word in "\n".join(screen.display) for word in words))


def _move_to_worker(screen: Terminal, *words: str) -> None:
    """Goes down to the worker whose row has all of them; the next key only where the screen shows the last one's move."""

    def row() -> str:
        return next((line for line in screen.display if line.startswith("> ")), "")

    def worker() -> list[str]:
        return row().split()[1:4]  # queue, host and process stay while the figures beside them change

    screen.wait_for(lambda _: bool(row()))
    while not all(word in row() for word in words):
        before = worker()
        screen.type("j")
        screen.wait_for(lambda _: worker() not in ([], before))  # noqa: B023


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
def test_one_screen_has_it_all(stack: Stack, ana: User, columns: int, rows: int) -> None:
    admin = User(stack, "admin")
    with on_terminal("top", "--every", "1s", columns=columns, rows=rows, env=admin.env) as screen:
        _shows(screen, "bmn top", "dead-letters", "logo-generation", "video-generation", "cleanup", "image-upload")
        assert len(screen.display) == rows
        assert screen.display[-1].startswith("p pause  d drain  r replay")
        assert all(len(line) <= columns for line in screen.display)
        screen.resize(columns + 20, 30)
        _shows(screen, "bmn top", "logo-generation", "q quit")
        screen.type("q")
        assert screen.end() == 0
        assert screen.raw.endswith(b"\x1b[?1049l")


def test_keys_pause_look_replay_and_drain(stack: Stack, ana: User) -> None:
    admin = User(stack, "admin")
    with on_terminal("top", "--every", "1s", columns=100, rows=30, env=admin.env) as screen:
        _shows(screen, "> brand-wizard", "image-upload")
        screen.type("j")
        _shows(screen, "> logo-generation")
        screen.type("p")
        _shows(screen, "Pause logo-generation?  y/n")
        screen.type("x")
        _shows(screen, "not done")
        screen.type("py")
        _shows(screen, "logo-generation is paused", "paused: from bmn top")
        screen.type("py")
        _shows(screen, "takes jobs again")
        screen.type("\r")
        _shows(screen, "Jobs of logo-generation", "failed")
        screen.type("\r")
        _shows(screen, "logo-generation-", "failed", "bfl")
        screen.type("\x1b")
        _shows(screen, "Jobs of logo-generation")
        screen.type("\x1b")
        _shows(screen, "WAITING")
        screen.type("ry")
        _shows(screen, "1 dead letter of logo-generation being replayed")
        wait_until(lambda: ana.json("jobs", "show", "last")["state"] == "completed")
        screen.type("\t")
        _shows(screen, "▸ WORKER")
        _move_to_worker(screen, "image-upload", "idle")
        screen.type("d")
        _shows(screen, "Drain image-upload on")
        screen.type("y")
        _shows(screen, "asked to finish within")
        screen.wait_for(lambda _: not any("image-upload" in line and "idle" in line for line in screen.display))
        screen.type("?")
        _shows(screen, "What changes something asks first")
        screen.press_ctrl_c()
        assert screen.end() == 130
        assert b"\x1b[?1049l" in screen.raw


def test_a_frame_sends_only_what_changed(stack: Stack, ana: User) -> None:
    admin = User(stack, "admin")
    with on_terminal("top", "--every", "1s", columns=80, rows=24, env=admin.env) as screen:
        _shows(screen, "logo-generation")
        first = len(screen.raw)
        clock = screen.display[0]
        screen.wait_for(lambda _: screen.display[0] != clock)
        assert len(screen.raw) - first < first / 3
        screen.type("q")
        assert screen.end() == 0


def test_a_viewer_only_looks_and_a_user_does_not(stack: Stack) -> None:
    token = User(stack, "admin").json("keys", "create", "--role", "viewer", "--name", "looks")["key"]
    with on_terminal("top", "--every", "1s", columns=90, rows=24, env={**stack.env, "BMN_TOKEN": token}) as screen:
        _shows(screen, "logo-generation")
        screen.type("p")
        _shows(screen, "A viewer only looks")
        screen.type("q")
        assert screen.end() == 0
    with on_terminal("top", columns=90, rows=24, env=User(stack).env) as screen:
        assert screen.end() == 4
        assert b"\x1b[?1049h" not in screen.raw


def test_without_a_terminal_it_is_refused_in_words(stack: Stack) -> None:
    done = User(stack, "admin").bmn("top")
    assert (done.code, done.out) == (2, "")
    assert "not a terminal" in done.err
    assert "bmn queues --json" in done.err
    assert User(stack, "admin").bmn("top", "--every", "0.1s").code == 2


def test_what_failed_a_job_is_played_again(stack: Stack) -> None:
    """On a laptop without a key: the calls of the job become faults, and the same order fails as it did."""
    admin, ben = User(stack, "admin"), User(stack)
    ben.json("brands", "create", "Acme")
    order = ("generate", "logos", "--brand", "Acme", "--count", "1")
    stack.fault(provider="bfl", moderate=1)
    assert ben.bmn(*order).code == 7
    stack.mend()
    failed = ben.json("jobs", "show", "last")
    told = ben.bmn("jobs", "retry", failed["jobId"], "--dry-run")
    assert (told.code, told.out.startswith("1 job to retry: 1 credit, sandbox: $0.00 (with keys: $")) == (0, True)
    assert ben.json("jobs", "retry", failed["jobId"], "--dry-run")["credits"] == 1
    played = admin.bmn("sandbox", "replay", failed["jobId"])
    assert played.code == 0, played.err
    assert "moderate=1" in played.out
    assert ben.bmn(*order).code == 7
    again = ben.json("jobs", "show", "last")
    assert (again["cause"], again["jobId"] != failed["jobId"]) == ("moderated", True)
    stack.mend()
    assert ben.bmn(*order).code == 0
    done = ben.json("jobs", "show", "last")["jobId"]
    assert admin.bmn("sandbox", "replay", done).code == 2
    assert ben.json("jobs", "cancel", done, "--dry-run")["jobs"] == 0
    assert ben.bmn("sandbox", "replay", done).code == 4


def test_calls_become_faults_in_their_order() -> None:
    def call(operation: str, outcome: str, status: int | None = None) -> ProviderCallRecord:
        fields = {"unit": None, "attempt": 1, "model": None, "ms": 1, "usd": 0, "sandboxed": False, "request_id": None}
        return ProviderCallRecord.model_validate(
            {
                **fields,
                "provider": "bfl",
                "operation": operation,
                "outcome": outcome,
                "status": status,
                "at": "2026-11-29T00:00:00Z",
            }
        )

    made = [
        call("submit", "ok", 200),
        call("submit", "provider_overloaded", 503),
        call("submit", "provider_overloaded", 503),
        call("wait", "provider_garbage"),
        call("submit", "cancelled"),
        call("submit", "provider_auth"),
    ]
    assert faults_of(made) == [
        {"provider": "bfl", "op": "submit", "status": 503, "skip": 1, "times": 2},
        {"provider": "bfl", "op": "poll", "garbage": "html", "times": 1},
        {"provider": "bfl", "op": "submit", "status": 401, "skip": 1, "times": 1},
    ]
