"""Whole outputs of every command: its good, its empty and its failing case, at 80 and 140 columns and without a terminal.

A snapshot is named after its command, its case and its place; a command without one fails the last test.
"""

import json
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.core import TyperGroup

from bmn.cli.app import root
from bmn.cli.base import BaseCommand, Context
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.receiver import HookReceiver
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import BMN, SNAPSHOTS, check_snapshot, environment, on_terminal, stable

_PLACES = ("80", "140", "pipe")
_BRAND = '--brand "Acme Coffee"'
_NO_SERVER = {"BMN_API_URL": "http://127.0.0.1:1", "BMN_SANDBOX_URL": "http://127.0.0.1:1"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One user with four jobs, one for each end that a job can take. names: job id -> what snapshots call it."""

    user: User
    names: dict[str, str]

    @property
    def ids(self) -> dict[str, str]:
        return {f"{{{name}}}": job_id for job_id, name in self.names.items()}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of its own: what operators see is of everybody. Its home is short: it fits in a line."""
    queues = ("--queues", "logo-generation,mockup-generation,webhook-delivery", "--sandbox-speed", "0")
    with tempfile.TemporaryDirectory(prefix="bmn") as home:
        running = start(Path(home), "--port", "0", *queues)
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Iterator[Scene]:
    """Oldest first: completed, failed (no answer but 503), partial (one refused), cancelled."""
    user = User(stack)
    user.json(
        "brands", "create", "Acme Coffee", "--style", "vintage", "--color", "#5A3825", "--vision", "slow mornings"
    )
    logos = ("generate", "logos", "--brand", "Acme Coffee", "--count", "2")
    user.json(*logos)
    stack.fault(provider="bfl", op="submit", status=503)
    assert user.bmn(*logos).code == 1
    stack.mend()
    stack.fault(provider="bfl", moderate=1)
    assert user.bmn(*logos).code == 0
    stack.mend()
    stack.fault(provider="bfl", op="poll", pending=True)
    assert user.bmn(*logos, "--detach").code == 0
    wait_until(lambda: [unit["state"] for unit in user.json("jobs", "show", "last")["units"]] == ["submitted"] * 2)
    [cancelled] = user.json("jobs", "cancel", "last")["jobs"]
    assert user.bmn("jobs", "watch", "last").code == 8
    stack.mend()
    assert user.bmn("jobs", "watch", cancelled["collectorJobId"]).code == 0
    admin = User(stack, "admin")
    wait_until(lambda: "open dead letter" in str(admin.json("alerts")))  # as the next look of the alerts' loop tells it
    listed = user.json("jobs", "list")["jobs"]
    ids = [job["jobId"] for job in reversed(listed)]
    assert len(ids) == 4
    yield Scene(user, dict(zip(ids, "abcd", strict=True)))


def _seen(scene: Scene, command: str, place: str, env: dict[str, str] | None = None) -> str:
    """Exit code and output, with ids that keep their length and times that do not change."""
    args = [scene.ids.get(word, word) for word in shlex.split(command)]
    if place == "pipe":
        done = scene.user.bmn(*args, env=env)
        code, text = done.code, f"{done.out}--- stderr\n{done.err}"
        assert "\x1b" not in text and "\r" not in text
    else:
        code, text = scene.user.seen_at(int(place), *args, env=env)
        text = _unwrapped(text, place)
    return f"$ bmn {command}  [exit {code}]\n{_steady(scene, text)}"


def _unwrapped(text: str, place: str) -> str:
    """Puts lines with a path or an address together again where they were wrapped: their length is a machine's."""
    text = re.sub(r"/\n {3}(?=\S*/$)", "/", text, flags=re.MULTILINE)
    return re.sub(rf"^(?=.*/)(.{{{int(place) - 1}}}[^…])\n", r"\1", text, flags=re.MULTILINE)


def _steady(scene: Scene, text: str) -> str:
    names = {str(scene.user.stack.home): "<home>", scene.user.user_id: "<user>"}
    for job_id, name in scene.names.items():
        bare = job_id.removeprefix("logo-generation-")
        names[bare] = name * 8 + "-0000-0000-0000-000000000000"
        names[bare[:8]] = name * 8
    text = stable(text, names)
    for pattern, name in _RUNS:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return stable(text)


# What differs from run to run, in the order in which it is taken out.
_RUNS = (
    (r"^( +\d+  \+ *[\d.]+ s  .*\n| +… \d+ more like it.*\n)+", "    <timeline>\n"),
    (r"\b(in )?(\d+ m )?\d+(\.\d)? [sm] ago\b|\bnow\b", "<ago>"),
    (r"\b(\d+ m )?\d+(\.\d+)? m?s\b", "<span>"),
    (r"\d\d:\d\d:\d\d(\.\d{3})?", "<clock>"),
    (r"\b\d{4}\n?-\n?\d\d-\n?\d\d\n?T<clock>Z", "<time>"),  # broken by the edge of a terminal
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<time>"),
    (r"\b\d+ \w{3} \d\d:\d\d\b", "<day>"),
    (r"\b\d+ jobs? ahead", "<n> ahead"),
    # How far a kit has come when it answers.
    (r"The logo is picked\.|Putting the logo on products\.", "<step>"),
    (r"(^<clock> +bfl .*\n)+", "<clock>  bfl  <calls>\n"),
    (r"^\d+ calls, \$[\d.]+", "<n> calls, <usd>"),
    (r"\bLogo \d: ", "Logo <n>: "),
    (r"=\"logo-\d\"", '="logo-<n>"'),
    (r"\b\d+ of \d+ calls", "<n> of <n> calls"),
    (r"\+ *<span>", "+<span>"),
    # Whether a job that fails at once had shown its second step.
    (r"^(  Progress +)\d+ %(?=  Our image service)", r"\1<n> %"),
    (r"\n {9,}(?=\S)", " "),  # where a line is wrapped hangs on the length of a time
    (r"(?<=\S) {2,}(?=\S)", "  "),
    # Which of two logos was declined differs.
    (r"Icon-focused abstract symbol|Lettermark from the brand's initials", "<variation>"),
    (r"^(bfl|logo-generation)(  )\d+(?=  [\d.]+  \$)", r"\1\2<calls>"),
    (r"[0-9a-f]{32}\.(png|jpg|webp)", r"<name>.\1"),
    (r"\bbmn_live_[\w-]+(\n[\w-]+)*", "<key>"),
    (r"(?<![\w-])[0-9a-f]{12}\b", "<id>"),
    (r"\bbmn_view_[\w.-]+(\n[\w.-]{20,})*", "<token>"),
    (r"\beyJ[\w.-]+(\n[\w.-]{20,})*", "<token>"),
    (r"Bearer [\w-]{43}", "Bearer <token>"),
    (r"^(\w+_address)  .*$", r"\1  <address>"),
    (r"\b[\d,]+ bytes\b", "<n> bytes"),
    (r"\b\d+ GB free", "<n> GB free"),
    (r"(?<=Workers  )\d+(?=, all)", "<n>"),  # one that has just ended is there for a while
    (r"\b\d+ of \d+ MB", "<n> of <n> MB"),
    (r"^\d+ workers? in \d+ process(es)?, \d+ MB", "<n> workers in <n> processes, <n> MB"),
    (r"\b(?!(\w)\1{7})[0-9a-f]{8}\b", "<short>"),
    (r"(?<=  )\S+(?: \S+)*…$", "<cut>"),
    (r"^QUEUE  (WAITING|HOST).*$", "QUEUE  <columns>"),
    (r"^([a-z-]+)(  \d+){4,}.*$", r"\1  <numbers>"),
    (r"^([a-z-]+)  .*(idle|busy).*$", r"\1  <worker>  <idle or busy>"),
    (r"(Python|Valkey|SQLite)(  | )[\d.]+", r"\1\2<version>"),
)


def _name(command: str, case: str) -> str:
    """The command's own words, as in `jobs-dlq-list`, and the case."""
    return f"{'-'.join(_path(shlex.split(command)))}-{case}"


def _path(words: list[str]) -> list[str]:
    node: BaseCommand = root
    found: list[str] = []
    with Context(root) as context:
        for word in words:
            child = node.get_command(context, word) if isinstance(node, TyperGroup) else None
            if child is None:
                break
            node = child
            found.append(word)
    return found


# Each of the user with the four jobs: case, command.
_OF_A_USER = (
    ("good", f"generate logos {_BRAND} --count 2 --dry-run"),
    ("failing-mistyped", "generate logos --brand Acme --style minmal"),
    ("failing-credits", f"generate logos {_BRAND} --count 8 --refine 99"),
    ("good", f"generate mockups {_BRAND} --product mug --dry-run"),
    ("failing", f"generate mockups {_BRAND} --product submarine"),
    ("failing-brand", "generate mockups --brand Acme"),
    ("failing", f"generate bundle {_BRAND}"),
    ("failing", f"generate video {_BRAND}"),
    ("good", f"generate wizard brand-identity {_BRAND} --dry-run"),
    ("failing", f"generate wizard brand-identty {_BRAND}"),
    ("good", "generate products"),
    ("good", f"logos list {_BRAND} --images none"),
    ("failing", "logos list --brand Nobody"),
    ("failing", f"logos select 9 {_BRAND}"),
    ("failing", f"logos save 9 {_BRAND}"),
    ("failing", f"logos show 9 {_BRAND}"),
    ("failing", f"logos refine 9 {_BRAND} --notes thicker"),
    ("good", "brands list"),
    ("failing", "brands list --limit 5"),
    ("good", 'brands show "acme coffee"'),
    ("failing", 'brands show "Acme Cofee"'),
    ("failing", 'brands create "acme coffee"'),
    ("good", "credits show"),
    ("failing", "credits show --user somebody"),
    ("failing", "credits grant 5"),
    ("good", "open --print"),
    ("failing", "open --print --job 00000000"),
    ("good", "admin open --print"),
    ("good", "jobs list"),
    ("good-failed", "jobs list --state failed"),
    ("good-cause", "jobs list --cause moderated"),
    ("empty-filter", "jobs list --text nothing-like-this"),
    ("failing", "jobs list --state faild"),
    ("failing", "brands change Nobody --style bold"),
    ("good", "jobs count --queue logo-generation"),
    ("empty", "jobs count --text nothing-like-this"),
    ("failing", "jobs count --queue logos"),
    ("empty", "jobs export --text nothing-like-this"),
    ("failing", "jobs export --brand Nobody"),
    ("good", "jobs show {b}"),
    ("good-made", "jobs show {a}"),
    ("failing", "jobs show 00000000"),
    ("good", "jobs watch {a} --quiet"),
    ("failing", "jobs watch 00000000"),
    ("good-completed", "jobs why {a}"),
    ("good-failed", "jobs why {b}"),
    ("good-partial", "jobs why {c}"),
    ("good-cancelled", "jobs why {d}"),
    ("failing", "jobs why 12"),
    ("good", "jobs logs {c}"),
    ("empty", "jobs logs {a}"),
    ("failing", "jobs logs {a} --attempt 0"),
    ("failing", "jobs cancel {a}"),
    ("failing-which", "jobs cancel"),
    ("empty", "jobs cancel --no-input --state active"),
    ("failing", "jobs retry {a}"),
    ("failing-set", "jobs retry {b} --set logoStyle=baroque"),
    ("empty", "jobs retry --no-input --state failed --cause bug"),
    ("failing", "jobs dlq list"),
    ("failing", "jobs dlq show {b}"),
    ("failing", "jobs dlq replay {b}"),
    ("failing", "jobs dlq purge {b}"),
    ("failing", "queues list"),
    ("failing", "queues pause logo-generation"),
    ("failing", "queues resume logo-generation"),
    ("failing", "workers"),
    ("failing", "workers drain image-upload"),
    ("failing", "workers scale image-upload=2"),
    ("failing", "top"),
    ("failing", "alerts"),
    ("failing", "incident"),
    ("failing", "keys create --role viewer"),
    ("failing-role", "keys create --role boss"),
    ("failing", "keys list"),
    ("failing", "keys revoke 000000000000"),
    ("failing", "audit"),
    ("failing", "login --no-input"),
    ("empty", "profile list"),
    ("failing", "profile list --limit 5"),
    ("failing", "profile use live"),
    ("failing", "profile remove live"),
    ("good", "costs --by provider"),
    ("failing", "costs --by color"),
    ("empty", "sandbox faults"),
    ("failing", "sandbox faults --provider bfl"),
    ("failing", "sandbox fail bfl --status 200"),
    ("empty", "sandbox clear"),
    ("good", "sandbox ledger --provider bfl"),
    ("empty", "sandbox ledger --provider ghl"),
    ("failing", "sandbox ledger --since tomorrow"),
    ("failing", "sandbox run --speed -1"),
    ("failing", "sandbox replay {a}"),
    ("good", "db upgrade"),
    ("failing", "db archive"),
    ("empty", "db archive --dry-run"),
    ("failing", "db restore"),
    ("empty", "db restore logo-generation-none"),
    ("good", "doctor"),
    ("good", "config show --changed"),
    ("failing", "config show --unset"),
    ("good", "token"),
    ("failing", "token --user me"),
    ("good-browser", "token --job {c} --expires 10m"),
    ("failing-browser", "token --job {c} --brand Acme"),
    ("good", "completion fish"),
    ("failing", "completion tcsh"),
    ("good", "help exit-codes"),
    ("failing", "help nothing"),
    ("failing", "serve --no-workers --queues logo-generation"),
    ("failing", "worker logos"),
    ("failing", "shares add nothing"),
    ("failing", "shares list --limit 0"),
    ("failing", "shares revoke 0d9c1f0e7c5e4c8e9a395b1f"),
    ("failing", "webhooks list --all"),
    ("failing", "webhooks add http://example.com/hook"),
    ("failing", "webhooks remove 0d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11"),
    ("failing", "webhooks enable 0d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11"),
    ("failing", "webhooks secret 0d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11"),
    ("failing", "webhooks test https://10.0.0.8/hook"),
    ("failing", "webhooks deliveries --state late"),
    ("failing", "webhooks replay msg_00000000"),
    ("failing", "webhooks listen --forward-to https://example.com/hook"),
    ("failing", "mcp --budget 20"),
    ("failing-amount", "mcp --write --budget 0.5"),
    ("failing-open", "mcp --port 0 --host 0.0.0.0"),
)
_OF_AN_ADMIN = (
    ("good", "queues list"),
    ("good", "queues pause mockup-generation --reason budget"),
    ("failing-unknown", "queues pause mockups"),
    ("good", "queues resume mockup-generation"),
    ("good", "workers"),
    ("failing-unknown", "workers drain nobody"),
    ("good", "workers scale image-upload=1"),
    ("good", "alerts --kind dead-letters"),
    ("empty", "alerts --kind redis-away"),
    ("failing-unknown", "incident provider_ath"),
    ("failing-over", "alerts ack 9999"),
    ("failing-unknown", "alerts mute waitin --for 2h"),
    ("failing-span", "alerts mute waiting --for soon"),
    ("failing-unmuted", "alerts unmute waiting"),
    ("empty", "audit --action nothing"),
    ("good", "jobs dlq list"),
    ("empty", "jobs dlq list --cause bug"),
    ("good", "jobs dlq show {b}"),
    ("good", "jobs dlq replay {b} --dry-run"),
    ("failing-nobody", "jobs dlq replay --all --no-input"),
    ("empty", "jobs dlq replay --cause bug --yes"),
    ("good", "jobs dlq purge {b} --dry-run"),
    ("empty", "jobs dlq purge --cause bug --yes"),
)
_OF_A_NEWCOMER = (
    ("empty", "jobs list"),
    ("failing-last", "jobs show last"),
    ("empty", "brands list"),
    ("empty", "logos list"),
    ("empty", "costs"),
    ("good-new", "credits"),
    ("empty", "shares list"),
    ("empty", "webhooks list"),
    ("empty", "webhooks deliveries"),
)
_WITHOUT_A_SERVER = (
    ("failing", "generate products"),
    ("failing", "admin open --print"),
    ("failing-server", "jobs list"),
    ("failing", "sandbox clear"),
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize(("case", "command"), _OF_A_USER)
def test_screen(scene: Scene, case: str, command: str, place: str) -> None:
    check_snapshot(f"{_name(command, case)}-{place}", _seen(scene, command, place))


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize(("case", "command"), _OF_AN_ADMIN)
def test_screen_of_an_admin(scene: Scene, case: str, command: str, place: str) -> None:
    admin = Scene(User(scene.user.stack, "admin", scene.user.user_id), scene.names)
    check_snapshot(f"{_name(command, case)}-{place}", _seen(admin, command, place))


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize(("case", "command"), _OF_A_NEWCOMER)
def test_screen_of_a_new_user(stack: Stack, case: str, command: str, place: str) -> None:
    check_snapshot(f"{_name(command, case)}-{place}", _seen(Scene(User(stack), {}), command, place))


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize(("case", "command"), _WITHOUT_A_SERVER)
def test_screen_without_a_server(stack: Stack, case: str, command: str, place: str) -> None:
    check_snapshot(f"{_name(command, case)}-{place}", _seen(Scene(User(stack), {}), command, place, _NO_SERVER))


@pytest.mark.parametrize("place", _PLACES)
def test_screen_of_a_grant(stack: Stack, place: str) -> None:
    check_snapshot(f"credits-grant-good-{place}", _seen(Scene(User(stack, "admin"), {}), "credits grant 5", place))


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_keys(stack: Stack, place: str) -> None:
    """From a new key to its end, which leaves none for the next place."""
    admin = Scene(User(stack, "admin"), {})
    key = ""
    for case, command in (
        ("good", "keys create --role viewer --name wallboard --expires 90d30m --reason 'for the wall'"),
        ("good", "keys list"),
        ("good", "keys revoke {key} --reason 'taken down'"),
        ("empty", "keys list"),
        ("good", "audit --subject {key}"),
    ):
        if "{key}" in command and not key:
            key = admin.user.json("keys", "list")["keys"][0]["id"]
        text = _seen(admin, command.replace("{key}", key), place)
        check_snapshot(f"{_name(command, case)}-{place}", text.replace(key, "<id>") if key else text)


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_an_alert(scene: Scene, place: str) -> None:
    """Of the dead letter of the failed job, and what it has done."""
    admin = Scene(User(scene.user.stack, "admin", scene.user.user_id), scene.names)
    number = str(admin.user.json("alerts", "--kind", "dead-letters")["alerts"][0]["id"])
    for case, command in (
        ("good", f"alerts ack {number}"),
        ("good", "alerts mute waiting --for 2h"),
        ("good", "alerts unmute waiting"),
        ("good-cause", "incident provider_overloaded"),
    ):
        text = re.sub(
            rf"\b{number}\b(?!-)|(?<=^  Jobs  )\d+|(?<=^  Users  )\d+", "<n>", _seen(admin, command, place), flags=re.M
        )
        check_snapshot(f"{_name(command, case)}-{place}", re.sub(r"At [\d-]+ \d\d:\d\d UTC", "At <time>", text))


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_a_bulk_action(stack: Stack, place: str) -> None:
    """A user's own: from none, by one that is held up, to one that has ended."""
    user, admin = User(stack), User(stack, "admin")
    seen = Scene(user, {})
    check_snapshot(f"bulk-list-empty-{place}", _seen(seen, "bulk list", place))
    for command in ("list --limit 0", "watch last", "pause 7f3a", "resume 7f3a", "abort 7f3a"):
        check_snapshot(f"bulk-{command.split()[0]}-failing-{place}", _seen(seen, f"bulk {command}", place))
    assert admin.bmn("queues", "pause", "logo-generation").code == 0
    try:
        for _ in range(3):
            assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach").code == 0
        slow = ("jobs", "cancel", "--brand", "Acme", "--rate", "1/h", "--detach", "--yes")
        assert user.bmn(*slow).code == 0
        _wait_for_done(user, 1)  # the next one is an hour away
        for name in ("pause", "resume", "abort", "watch", "list"):
            command = f"bulk {name}" if name == "list" else f"bulk {name} last"
            check_snapshot(f"bulk-{name}-good-{place}", re.sub(r"<short>[\w-]+…", "<cut>", _seen(seen, command, place)))
        user.bmn("jobs", "cancel", "--brand", "Acme", "--yes")
    finally:
        assert admin.bmn("queues", "resume", "logo-generation").code == 0


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_a_kit(stack: Stack, place: str) -> None:
    """From none and its price, by one that waits for a pick, to one that was cancelled."""
    user = User(stack)
    seen = Scene(user, {})
    bare = {"BMN_IMAGES": "none"}
    check_snapshot(f"kits-list-empty-{place}", _seen(seen, "kits list", place))
    for command in ("list --limit 0", "show last", "watch last", "pick 1", "cancel 7f3a"):
        check_snapshot(f"kits-{command.split()[0]}-failing-{place}", _seen(seen, f"kits {command}", place))
    for case, command in (
        ("good", "generate kit --brand Bluebird --count 1 --dry-run"),
        ("failing", "generate kit --brand Bluebird --product mug"),
    ):
        check_snapshot(f"{_name(command, case)}-{place}", _seen(seen, command, place))
    user.json("generate", "kit", "--brand", "Bluebird", "--count", "1")  # it waits for a pick
    for name in ("list", "watch", "show", "pick", "cancel"):
        command = f"kits {name}{'' if name == 'list' else ' 1' if name == 'pick' else ' last'}"
        text = _seen(seen, command, place, bare)
        if name in ("list", "watch", "show"):
            text = re.sub(r"<short>[\w-]+…", "<cut>", text)
        check_snapshot(f"kits-{name}-good-{place}", text)


def _wait_for_done(user: User, number: int) -> None:
    wait_until(lambda: user.json("bulk", "list")["bulk"][0]["done"] == number)


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_profiles(stack: Stack, place: str, tmp_path: Path) -> None:
    """From a key to a profile that is forgotten again."""
    newcomer = Scene(User(stack), {})
    key = User(stack, "admin").json("keys", "create", "--role", "operator", "--user", newcomer.user.user_id)["key"]
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    words = ("login", stack.api_url, "--profile", "live", "--production")
    if place == "pipe":
        done = newcomer.user.bmn(*words, env=env, stdin=key)
        code, text = done.code, f"{done.out}--- stderr\n{done.err}"
    else:
        with on_terminal(*words, columns=int(place), env={**stack.env, **env}) as terminal:
            terminal.wait_for("Key for")
            terminal.type(f"{key}\n")
            code, text = terminal.end(), _unwrapped(terminal.text, place)
    assert key not in text
    text = _steady(newcomer, f"$ bmn {' '.join(words)}  [exit {code}]\n{text}".replace(str(tmp_path), "<config>"))
    check_snapshot(f"login-good-{place}", text)
    for command in ("profile list", "profile use live", "profile remove live"):
        text = _seen(newcomer, command, place, env).replace(str(tmp_path), "<config>")
        check_snapshot(f"{_name(command, 'good')}-{place}", re.sub(r"bmn_live_\w+…", "<key>…", text))


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_making_and_changing(stack: Stack, place: str) -> None:
    """From a new brand to its last picture: each step needs the one before."""
    newcomer = Scene(User(stack), {})
    quiet = "--quiet" if place == "pipe" else "--images none"  # a pipe gets a line per change, as many as there were
    for case, command in (
        ("good", "brands create Bluebird --style bold"),
        ("good", "brands change Bluebird --vision 'calm mornings'"),
        ("good-made", f"generate logos --brand Bluebird --count 1 {quiet}"),
        ("good", f'logos refine 1 --notes "thicker lines" --count 1{" --quiet" if place == "pipe" else ""}'),
        ("good", "logos select 1"),
        ("good", "logos show 1"),
        ("good", "logos save 1 --out logo.png"),
        ("good-made", f"generate mockups --brand Bluebird --product mug --product cap {quiet}"),
        ("good", "generate bundle --brand Bluebird --dry-run"),
        ("good", "generate video --brand Bluebird --dry-run"),
    ):
        check_snapshot(f"{_name(command, case)}-{place}", _seen(newcomer, command, place, {"BMN_IMAGES": "none"}))


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_a_job_that_is_cancelled_and_retried(stack: Stack, place: str) -> None:
    user, admin = User(stack), User(stack, "admin")
    assert admin.bmn("queues", "pause", "logo-generation").code == 0
    try:
        user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
        waiting = Scene(user, {user.json("jobs", "show", "last")["jobId"]: "e"})
        check_snapshot(f"jobs-why-good-paused-{place}", _seen(waiting, "jobs why {e}", place))
        check_snapshot(f"jobs-cancel-good-{place}", _seen(waiting, "jobs cancel {e}", place))
        check_snapshot(f"jobs-retry-good-{place}", _seen(waiting, "jobs retry {e}", place))
    finally:
        assert user.bmn("jobs", "cancel", "last").code == 0
        assert admin.bmn("queues", "resume", "logo-generation").code == 0


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_the_sandbox(scene: Scene, place: str) -> None:
    for case, command in (
        ("good", "sandbox fail resend --status 503 --times 3"),
        ("good", "sandbox faults"),
        ("good", "sandbox clear"),
    ):
        text = re.sub(r"\bfault \d+|^ *\d+(?=  resend)", "fault <n>", _seen(scene, command, place), flags=re.MULTILINE)
        check_snapshot(f"{_name(command, case)}-{place}", text)
    admin = Scene(User(scene.user.stack, "admin"), scene.names)
    text = re.sub(r"\bfault \d+", "fault <n>", _seen(admin, "sandbox replay {b}", place))
    check_snapshot(f"sandbox-replay-good-{place}", text)
    assert admin.user.bmn("sandbox", "clear").code == 0


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_webhooks(stack: Stack, place: str) -> None:
    """From a receiver to its log: each step needs the one before."""
    receiver = HookReceiver().start()
    seen = Scene(User(stack), {})
    endpoint, delivery = "", ""
    try:
        for name in ("add", "list", "secret", "test", "deliveries", "replay", "enable", "remove"):
            args = {"add": receiver.url, "replay": delivery}
            args |= dict.fromkeys(("test", "secret", "enable", "remove"), endpoint)
            text = _seen(seen, f"webhooks {name} {args.get(name, '')}".rstrip(), place)
            check_snapshot(
                f"webhooks-{name}-good-{place}", re.sub(r"whsec_\S+", "<secret>", _MESSAGE.sub("<msg>", stable(text)))
            )
            if name == "add":
                endpoint = seen.user.json("webhooks", "list")["endpoints"][0]["id"]
            if name == "test":
                delivery = seen.user.json("webhooks", "deliveries")["deliveries"][0]["id"]
    finally:
        receiver.stop()


@pytest.mark.parametrize("place", _PLACES)
def test_screens_of_shares(stack: Stack, place: str) -> None:
    """From a link to its end."""
    user = User(stack)
    user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--quiet")
    seen = Scene(user, {user.json("jobs", "show", "last")["jobId"]: "e"})
    share = ""
    for name in ("add", "list", "revoke"):
        args = {"add": "{e}", "revoke": share}
        text = _seen(seen, f"shares {name} {args.get(name, '')}".rstrip(), place)
        check_snapshot(f"shares-{name}-good-{place}", _SHARE.sub("<share>", text))
        share = user.json("shares", "list", "--all")["shares"][0]["id"]


_SHARE = re.compile(r"share-[0-9a-f]{24}[\w.-]+|[0-9a-f]{24}")
_MESSAGE = re.compile(r"msg_[0-9a-f]{20}|msg_[0-9a-f]*…")


@pytest.mark.parametrize("place", _PLACES)
def test_screen_of_a_database_that_is_away(scene: Scene, place: str) -> None:
    away = {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    check_snapshot(f"db-upgrade-failing-{place}", _seen(scene, "db upgrade", place, away))
    check_snapshot(f"doctor-failing-{place}", _seen(scene, "doctor", place, away))


@pytest.mark.parametrize("place", _PLACES)
def test_screen_of_exported_jobs(scene: Scene, place: str) -> None:
    """One object a line, the same on a terminal, which only wraps it."""
    text = _seen(scene, "jobs export --text nothing-like-this", place)
    lines = scene.user.bmn("jobs", "export").out.splitlines()
    text = f"{text}--- with jobs: the fields of each\n" + "\n".join(" ".join(json.loads(line)) for line in lines) + "\n"
    check_snapshot(f"jobs-export-good-{place}", text)


@pytest.mark.parametrize("place", ["80", "140"])
def test_screen_of_top(stack: Stack, place: str) -> None:
    """The keys that it takes; the figures above them move."""
    with on_terminal("top", columns=int(place), env=User(stack, "admin").env) as terminal:
        terminal.wait_for(lambda _: "q quit" in terminal.display[-1])
        keys = terminal.display[-1].rstrip()
        terminal.type("q")
        assert terminal.end() == 0
    check_snapshot(f"top-good-{place}", f"$ bmn top\n{keys}\n")


_RUNNING = {
    "mcp": ("mcp --port 0", "^(http|Clients |  Authorization: ).*$", "/mcp"),
    "serve": ("serve --no-workers --port 0", "^bmn serve[^?]*?Next .*$", "Next "),
    "webhooks-listen": ("webhooks listen --forward-to localhost:1", "^.*whsec_|Stopped listening.", "whsec_"),
    "worker": ("worker image-upload --burst", "workers ready, Ctrl-C stops them|workers closed", "workers closed"),
    "sandbox-run": ("sandbox run --port 0", "^.*http.*$", "http"),
}


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("name", _RUNNING)
def test_screen_of_what_runs_until_it_is_stopped(stack: Stack, name: str, place: str) -> None:
    """What it says to a person; its log lines, which say the rest, are no screen."""
    command, said, ready = _RUNNING[name]
    if place == "pipe":
        process = subprocess.Popen(
            [BMN, *shlex.split(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(stack.env),
        )
        assert process.stdout
        text = ""
        while ready not in text:
            line = process.stdout.readline()
            assert line, f"it ended before it was ready: {text}"
            text += line
        if "--burst" not in command:
            process.send_signal(signal.SIGINT)
        text += process.stdout.read()
        code = process.wait(PATIENCE)
    else:
        with on_terminal(*shlex.split(command), columns=int(place), env=stack.env) as terminal:
            terminal.wait_for(ready)
            if "--burst" not in command:
                terminal.press_ctrl_c()
            code, text = terminal.end(), _unwrapped(terminal.text, place)
    assert code == 0, text
    shown = "\n".join(match[0] for match in re.finditer(said, text, re.MULTILINE))
    check_snapshot(f"{name}-good-{place}", f"$ bmn {command}\n{_steady(Scene(User(stack), {}), shown)}\n")


# What one command shows or changes is there, or the command fails.
_NEVER_EMPTY = {
    *("mcp", "login", "profile-use", "profile-remove", "top"),
    *("kits-show", "kits-watch", "kits-pick", "kits-cancel"),
    *("bulk-watch", "bulk-pause", "bulk-resume", "bulk-abort"),
    *("alerts-ack", "alerts-mute", "alerts-unmute", "incident"),
    *(
        "generate",
        "logos-select",
        "logos-save",
        "logos-show",
        "logos-refine",
        "brands-create",
        "brands-change",
        "brands-show",
        "credits",
        "open",
    ),
    *("admin", "jobs-show", "jobs-watch", "jobs-why", "jobs-dlq-show", "queues", "workers", "serve", "worker"),
    *(
        "sandbox-run",
        "sandbox-fail",
        "sandbox-replay",
        "db",
        "doctor",
        "config",
        "token",
        "completion",
        "help",
        "keys-create",
        "keys-revoke",
    ),
    *("shares-add", "shares-revoke"),
    *(
        "webhooks-add",
        "webhooks-enable",
        "webhooks-remove",
        "webhooks-secret",
        "webhooks-test",
        "webhooks-replay",
        "webhooks-listen",
    ),
}


# A drained worker is gone for good (tests/cli/test_serve.py has its own); `top` refuses to run in a pipe.
_SEEN_ELSEWHERE = {*(f"workers-drain-good-{place}" for place in _PLACES), "top-good-pipe"}


def _leaves(command: BaseCommand, path: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(command, TyperGroup):
        yield "-".join(path)
        return
    with Context(command) as context:
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _leaves(child, (*path, name))


def test_every_command_is_seen_in_each_case_and_place() -> None:
    missing = []
    for name in _leaves(root):
        empty = not any(name == one or name.startswith(f"{one}-") for one in _NEVER_EMPTY)
        for case in ("good", "failing", *(["empty"] if empty else [])):
            missing += [
                f"{name}-{case}-{place}" for place in _PLACES if not [*SNAPSHOTS.glob(f"{name}-{case}*-{place}.txt")]
            ]
    assert not set(missing) - _SEEN_ELSEWHERE
