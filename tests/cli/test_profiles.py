"""Keys and profiles at the command line: made, typed without being seen, kept for one's own eyes, used, ended."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from bmn.identity.key_format import mint_key
from tests.kit.processes import wait_until
from tests.kit.stack import Stack, User
from tests.kit.terminal import Output, forked, on_terminal


class Holder:
    """Somebody at another machine: no home of the server, no token, a configuration of their own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config" / "bmn" / "profiles.json"
        self.env = {"XDG_CONFIG_HOME": str(folder / "config"), "BMN_HOME": str(folder / "other-home")}

    def bmn(self, *args: str, stdin: str = "", **env: str) -> Output:
        return forked(*args, env={**self.env, **env}, stdin=stdin)

    def json(self, *args: str) -> Any:
        done = self.bmn(*args, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)


@pytest.fixture
def person(tmp_path: Path) -> Holder:
    return Holder(tmp_path)


def key_of(admin: User, role: str, *more: str) -> str:
    done = admin.bmn("keys", "create", "--role", role, *more)
    assert done.code == 0, done.err
    text: str = done.out.strip()
    assert text.startswith("bmn_live_") and len(text.split()) == 1
    return text


def test_a_key_from_stdin_becomes_a_profile_for_its_owners_eyes(admin: User, person: Holder) -> None:
    key = key_of(admin, "operator", "--user", admin.user_id)
    done = person.bmn("login", admin.stack.api_url, "--profile", "live", "--production", stdin=f"{key}\n")
    assert (done.code, key in done.out + done.err) == (0, False), done.err
    assert "role operator" in done.out
    assert stat.S_IMODE(person.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(person.file.parent.stat().st_mode) == 0o700
    assert person.json("profile", "list")["profiles"] == [
        {"name": "live", "apiUrl": admin.stack.api_url, "production": True, "current": True}
    ]
    assert key not in person.bmn("profile", "list").out
    assert "logo-generation" in person.bmn("queues").out


def test_an_act_in_production_is_announced_in_red_and_a_look_is_not(admin: User, person: Holder) -> None:
    key = key_of(admin, "operator")
    address = admin.stack.api_url
    assert person.bmn("login", address, "--profile", "live", "--production", stdin=key).code == 0
    assert person.bmn("login", address, "--profile", "mine", stdin=key).code == 0
    line = f"live: production, {address}"
    assert line not in person.bmn("--profile", "live", "queues").err
    for quiet in ((), ("--quiet",), ("--json",)):
        paused = person.bmn("queues", "pause", "video-generation", "--profile", "live", *quiet)
        assert (paused.code, paused.err.count(line)) == (0, 1), paused.err
        assert line not in paused.out
    resumed = person.bmn("queues", "resume", "video-generation")
    assert (resumed.code, "production" in resumed.err) == (0, False)
    colored = person.bmn("--profile", "live", "queues", "resume", "video-generation", FORCE_COLOR="1")
    assert f"\x1b[1;31m{line}" in colored.err
    assert person.bmn("profile", "use", "live").code == 0
    assert line in person.bmn("queues", "resume", "video-generation").err
    assert person.bmn("profile", "use", "none").code == 0
    assert person.bmn("queues").code == 69
    assert person.bmn("profile", "use", "liev").code == 3
    assert person.bmn("profile", "remove", "live").code == 0
    assert [profile["name"] for profile in person.json("profile", "list")["profiles"]] == ["mine"]


def test_the_environment_comes_before_the_current_profile_and_after_a_named_one(admin: User, person: Holder) -> None:
    assert person.bmn("login", admin.stack.api_url, "--profile", "live", stdin=key_of(admin, "viewer")).code == 0
    elsewhere = {"BMN_API_URL": "http://127.0.0.1:1"}
    assert person.bmn("queues", **elsewhere).code == 69
    assert person.bmn("queues", "--profile", "live", **elsewhere).code == 0
    assert person.bmn("queues", "pause", "video-generation", "--profile", "live").code == 4


def test_what_cannot_sign_in_is_told_and_nothing_is_kept(admin: User, person: Holder) -> None:
    key = key_of(admin, "viewer")
    mistyped = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert admin.bmn("keys", "revoke", key, "--reason", "lost").code == 0
    refused = {
        "": (2, "No key was given"),
        mistyped: (2, "mistyped or cut"),
        mint_key().text: (4, "invalid token"),
        key: (4, "was revoked"),
    }
    for text, (code, words) in refused.items():
        # A server elsewhere would get nothing that was mistyped.
        address = "http://127.0.0.1:1" if code == 2 else admin.stack.api_url
        done = person.bmn("login", address, stdin=text)
        assert (done.code, words in done.err) == (code, True), done.err
        assert not text or text not in done.err
    assert person.bmn("login", "ftp://x", stdin=key).code == 2
    assert not person.file.exists()
    person.file.parent.mkdir(parents=True)
    person.file.write_text("{}}")
    broken = person.bmn("queues")
    assert (broken.code, str(person.file) in broken.err) == (2, True)


def test_a_key_is_typed_without_being_seen(admin: User, person: Holder) -> None:
    key = key_of(admin, "operator")
    with on_terminal("login", "--profile", "desk", columns=120, env={**person.env, "CI": ""}) as terminal:
        terminal.wait_for("Server:")
        terminal.type(f"{admin.stack.api_url}\n")
        terminal.wait_for("Key for ")
        terminal.type(f"{key}\n")
        assert terminal.end() == 0, terminal.text
        assert "role operator" in terminal.text
        assert key.encode() not in terminal.raw


def test_a_key_made_in_the_database_is_the_first_admins(stack: Stack, person: Holder) -> None:
    made = forked("keys", "create", "--role", "admin", "--local", "--reason", "the first", env=stack.env)
    assert made.code == 0, made.err
    assert person.bmn("login", stack.api_url, stdin=made.out).code == 0
    keys = person.json("keys", "list")["keys"]
    mine = next(key for key in keys if made.out.startswith(f"bmn_live_{key['id']}"))
    assert mine["role"] == "admin" and mine["createdBy"].startswith("local:")
    local = forked("keys", "list", "--local", "--json", env=stack.env)
    assert mine["id"] in local.out
    audited = person.json("audit", "--subject", mine["id"])["entries"]
    assert [(entry["action"], entry["reason"]) for entry in audited] == [("key.create", "the first")]
    assert forked("keys", "revoke", mine["id"], "--local", env=stack.env).code == 0
    # The server did not do it, and believes a key that it has just seen for two seconds.
    wait_until(lambda: "was revoked" in person.bmn("keys", "list").err, what="a refusal")
    assert person.bmn("keys", "list").code == 4


def test_a_database_of_another_release_says_what_to_do(tmp_path: Path) -> None:
    done = forked("keys", "create", "--role", "admin", "--local", env={"BMN_HOME": str(tmp_path)})
    assert (done.code, "bmn db upgrade" in done.err) == (2, True), done.err


def test_reasons_stand_in_the_audit_log_and_with_the_job(user: User, admin: User) -> None:
    assert admin.bmn("queues", "pause", "logo-generation", "--reason", "wait").code == 0
    try:
        user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
        job_id = user.json("jobs", "show", "last")["jobId"]
        assert user.bmn("jobs", "cancel", "last", "--reason", "wrong brand").code == 0
        assert user.bmn("jobs", "retry", job_id, "--reason", "right after all").code == 0
    finally:
        assert user.bmn("jobs", "cancel", "last").code == 0
        assert admin.bmn("queues", "resume", "logo-generation", "--reason", "go on").code == 0
    entries = admin.json("audit", "--since", "10m", "--limit", "5")["entries"]
    assert {(entry["action"], entry["reason"]) for entry in entries} >= {
        ("queue.resume", "go on"),
        ("job.replay", "right after all"),
        ("job.cancel", "wrong brand"),
        ("queue.pause", "wait"),
    }
    assert {entry["address"] for entry in entries} == {"127.0.0.1"}
    shown = user.bmn("jobs", "show", job_id).out
    assert "Done by people" in shown and "job.cancel by" in shown and "wrong brand" in shown
