"""What operators do: pause, replay, grant, find, export; and what pipes, completion and prompts owe them."""

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import User
from tests.kit.terminal import BMN, bmn, environment


def _failed(user: User) -> str:
    user.stack.fault(provider="bfl", op="submit", status=503)
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--json")
    user.stack.mend()
    assert done.code == 1
    return str(json.loads(done.out)["jobId"])


def test_a_paused_queue_keeps_its_jobs_and_says_why(user: User, admin: User) -> None:
    try:
        paused = admin.bmn("queues", "pause", "logo-generation", "--reason", "budget")
        assert paused.code == 0
        assert "logo-generation  paused" in paused.out
        user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
        why = user.bmn("jobs", "why", "last")
        assert "paused" in why.out
        assert "budget" in why.out
        assert "is paused" in user.bmn("jobs", "show", "last").out
        assert "paused: budget" in admin.bmn("queues").out
    finally:
        assert admin.bmn("queues", "resume", "logo-generation").code == 0
    assert user.bmn("jobs", "watch", "last").code == 0


def test_an_unknown_queue_lists_the_known_ones(admin: User) -> None:
    done = admin.bmn("queues", "pause", "logos")
    assert done.code == 3
    assert "Did you mean logo-generation? Queues: brand-wizard, logo-generation" in done.err


def test_a_dead_letter_is_listed_shown_and_replayed_once(user: User, admin: User) -> None:
    job_id = _failed(user)
    short = job_id.removeprefix("logo-generation-")[:8]
    assert short in admin.bmn("jobs", "dlq", "list", "--cause", "provider_overloaded").out
    shown = admin.bmn("jobs", "dlq", "show", short)
    assert "provider_overloaded" in shown.out
    queues = {line.split()[0]: line for line in admin.bmn("queues").out.splitlines()}
    assert queues["dead-letter"].endswith("bmn jobs dlq list")
    assert "hourly, next in" in queues["cleanup"]
    dry = admin.json("jobs", "dlq", "replay", short, "--dry-run")
    assert (dry["count"], dry["replays"][0]["jobId"]) == (1, None)
    replayed = admin.json("jobs", "dlq", "replay", short)
    new_id = replayed["replays"][0]["jobId"]
    assert user.bmn("jobs", "watch", new_id).code == 0
    assert user.json("jobs", "show", new_id)["parentId"] == job_id
    assert admin.bmn("jobs", "dlq", "replay", short).code == 3


def test_a_bulk_replay_asks_first_and_names_the_flag_where_nobody_is(user: User, admin: User) -> None:
    _failed(user)
    done = admin.bmn("jobs", "dlq", "replay", "--all")
    assert done.code == 2
    assert "--yes" in done.err
    with admin.on_terminal("jobs", "dlq", "replay", "--all") as terminal:
        terminal.wait_for("[y/N]")
        terminal.type("n\n")
        assert terminal.end() == 130
    assert admin.json("jobs", "dlq", "purge", "--all", "--yes")["count"] >= 1
    assert admin.json("jobs", "dlq", "list")["deadLetters"] == []


def test_a_failed_job_is_retried_with_a_change(user: User) -> None:
    job_id = _failed(user)
    done = user.bmn("jobs", "retry", "last:failed", "--set", "logoStyle=bold")
    assert done.code == 0, done.err
    assert user.bmn("jobs", "watch", "last").code == 0
    job = user.json("jobs", "show", "last")
    assert job["parentId"] == job_id
    assert job["payload"]["logoStyle"] == "bold"


def test_why_names_a_command_that_works_when_pasted(user: User) -> None:
    _failed(user)
    why = user.bmn("jobs", "why", "last")
    [command] = re.findall(r"Try +bmn (.*?)   ", why.out)
    assert user.bmn(*command.split()).code == 0
    assert user.bmn("jobs", "watch", "last").code == 0


def test_filters_list_count_cancel_and_export_alike(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    for _ in range(2):
        user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
    chosen = ("--brand", "Acme", "--since", "10m")
    assert len(user.json("jobs", "list", *chosen)["jobs"]) == 2
    assert user.bmn("jobs", "count", *chosen).out == "2\n"
    lines = user.bmn("jobs", "export", *chosen).out.splitlines()
    assert {json.loads(line)["queueName"] for line in lines} == {"logo-generation"}
    cancelled = user.json("jobs", "cancel", *chosen, "--yes")
    assert len(cancelled["jobs"]) == 2
    assert user.bmn("jobs", "count", *chosen, "--state", "cancelled").out == "2\n"


def test_an_admin_sees_the_jobs_of_others_only_when_asked(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    other = User(user.stack, "admin")
    mail = f"{user.user_id[:8]}@example.org"
    assert other.json("jobs", "list")["jobs"] == []
    (job,) = other.json("jobs", "list", "--user", mail)["jobs"]
    assert job["userId"] == user.user_id
    assert job["jobId"] in [each["jobId"] for each in other.json("jobs", "list", "--everyone", "--since", "1h")["jobs"]]
    assert other.json("jobs", "count", "--user", mail) == {"total": 1, "totalIsExact": True}
    short = job["jobId"].removeprefix("logo-generation-")[:8]
    assert other.bmn("jobs", "why", short).code == 3
    assert other.bmn("jobs", "why", short, "--everyone").code == 0
    assert "Acme" not in other.bmn("jobs", "list", "--everyone").out
    hidden = other.bmn("jobs", "show", short, "--everyone")
    assert "Acme" not in hidden.out and "--reveal REASON" in hidden.err
    assert "Acme" in other.bmn("jobs", "show", short, "--everyone", "--reveal", "ticket 7").out
    looked = other.json("audit", "--action", "reveal", "--subject", job["jobId"])["entries"]
    assert [(act["action"], act["reason"]) for act in looked] == [("reveal.job", "ticket 7")]
    assert user.bmn("jobs", "show", short).out.count("Acme"), "one's own is shown whole"
    assert other.json("costs", "--user", mail)["sandboxedUsd"] > 0
    assert len(other.bmn("jobs", "export", "--user", mail).out.splitlines()) == 1
    refused = user.bmn("jobs", "list", "--everyone")
    assert (refused.code, "Only admins" in refused.err) == (4, True)
    assert user.bmn("jobs", "list", "--everyone", "--user", mail).code == 2


def test_a_brand_and_a_kit_of_others_are_shown_to_who_says_why(user: User) -> None:
    alone = ("--product", "mug", "--without", "video", "--without", "bundle")
    kit = user.json("generate", "kit", "--brand", "Acme", "--count", "1", *alone)
    brand = user.json("brands", "list")["brands"][0]["id"]
    other, why = User(user.stack, "admin"), ("--reveal", "ticket 7")
    assert other.bmn("brands", "show", brand).code == 3
    shown = other.bmn("brands", "show", brand, *why)
    assert "Acme" in shown.out and "1 logo" in shown.out
    listed = other.bmn(*shown.err.splitlines()[-1].removeprefix("next: bmn ").split())
    assert (listed.code, "logo-generation" in listed.out) == (0, True), "what it names next can be typed"
    hidden = other.bmn("kits", "show", kit["groupId"])
    assert "Acme" not in hidden.out + hidden.err and "--reveal REASON" in hidden.err
    assert "Acme" in other.bmn("kits", "show", kit["groupId"], *why).out
    for subject, action in ((brand, "reveal.brand"), (kit["groupId"], "reveal.kit")):
        looked = other.json("audit", "--action", "reveal", "--subject", subject)["entries"]
        assert [(act["action"], act["reason"]) for act in looked] == [(action, "ticket 7")]
    refused = user.bmn("brands", "show", brand, *why)
    assert (refused.code, "Your role does not see" in refused.err) == (4, True)


def test_jobs_are_counted_in_groups_with_a_bar(user: User) -> None:
    _failed(user)
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    code, text = user.seen_at(100, "jobs", "count", "--group-by", "cause")
    assert code == 0
    assert re.search(r"provider_overloaded +1 +0 of 1 +\$0.00 +▇{20}", text)
    assert user.json("jobs", "list", "--group-by", "queue")["groups"][0]["jobs"] == 2
    assert user.json("jobs", "count", "--min-cost", "0.01")["total"] == 1


def test_pages_meet_without_gap_or_overlap(user: User) -> None:
    for _ in range(3):
        assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach").code == 0
    first = user.json("jobs", "list", "--limit", "2")
    rest = user.json("jobs", "list", "--cursor", first["nextCursor"])
    ids = [job["jobId"] for job in first["jobs"] + rest["jobs"]]
    assert len(first["jobs"]) == 2
    assert ids == [job["jobId"] for job in user.json("jobs", "list")["jobs"]]


def test_an_ambiguous_prefix_lists_candidates(user: User) -> None:
    ids = []
    for _ in range(2):
        user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
        ids.append(user.json("jobs", "show", "last")["jobId"])
    done = user.bmn("jobs", "show", "logo-generation-")
    assert done.code in (2, 3)
    done = user.bmn("jobs", "show", ids[0].removeprefix("logo-generation-")[:8])
    assert done.code == 0


def test_credits_are_granted_by_admins(user: User, admin: User) -> None:
    user.bmn("credits")
    done = admin.bmn("credits", "grant", "5", "--user", user.user_id, "--reason", "thanks")
    assert done.code == 0, done.err
    assert user.json("credits", "show")["creditsRemaining"] == 25


def test_workers_say_what_they_do(admin: User) -> None:
    found = admin.json("workers")["workers"]
    assert "logo-generation" in {worker["queue"] for worker in found}
    assert all(worker["memoryBytes"] > 10_000_000 for worker in found)
    assert "logo-generation" in admin.bmn("workers").out


def test_queues_with_watch_tell_each_change(admin: User) -> None:
    process = subprocess.Popen(
        [BMN, "queues", "--watch", "--json"], stdout=subprocess.PIPE, text=True, env=environment(admin.env)
    )
    try:
        assert process.stdout
        assert {row["name"] for row in json.loads(process.stdout.readline())["queues"]} > {"logo-generation"}
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("command", [("jobs", "list"), ("jobs", "show", "last"), ("generate", "products")])
def test_a_reader_that_goes_away_is_no_error(user: User, command: tuple[str, ...]) -> None:
    assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach").code == 0
    process = subprocess.Popen(
        [BMN, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(user.env),
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(PATIENCE) == 141
    process.stderr.close()


def test_where_nothing_failed_nobody_is_told_to_make_something_that_fails(user: User) -> None:
    done = user.bmn("jobs", "why", "last:failed")
    assert done.code == 3
    assert done.err == "error: There is no failed job.\n  `bmn jobs list` shows what there is.\n"


def test_completion_remembers_no_silence(home: Path) -> None:
    words = {"_BMN_COMPLETE": "zsh", "COMP_LINE": "bmn jobs show "}
    done = bmn(env={**words, "BMN_HOME": str(home), "BMN_API_URL": "http://127.0.0.1:1"})
    assert "the newest failed one" in done.out
    assert not (home / "completion.json").exists()


def test_completion_offers_live_job_ids(user: User) -> None:
    job_id = user.json("generate", "logos", "--brand", "Acme", "--count", "1")["jobId"]
    short = job_id.removeprefix("logo-generation-")[:8]
    (user.stack.home / "completion.json").unlink(missing_ok=True)
    words = {"_BMN_COMPLETE": "zsh", "COMP_LINE": f"bmn jobs show {short[:2]}"}
    # What does not come within the time that a Tab may take is not offered; the next Tab asks once more.
    wait_until(lambda: short in user.bmn(env=words).out)
    assert "completed logo-generation Acme" in user.bmn(env=words).out


def test_logos_are_picked_and_saved(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "2")
    selected = user.json("logos", "select", "2")
    assert selected["isSelected"] is True
    saved = user.json("logos", "save", "2", "--out", "logo.png")
    assert saved["file"] == "logo.png"
    assert user.json("logos", "save", "2", "--out", "shop/")["file"] == "shop/acme-logo-2.png"
    listed = user.json("logos", "list")["assets"]
    assert [asset["isSelected"] for asset in listed] == [False, True]
    code, text = user.seen_at(100, "logos", "list", env={"BMN_IMAGES": "blocks", "COLORTERM": "truecolor"})
    assert code == 0
    assert f"{'▀' * 36}  {'▀' * 36}" in text  # side by side
    assert re.search(r"1 \w.* 2 ✓ picked \w", text)


def test_older_logos_are_counted_and_named_by_their_job(user: User) -> None:
    older = user.json("generate", "logos", "--brand", "Acme", "--count", "2")["jobId"]
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    assert "2 older: bmn logos list --all --brand Acme" in user.bmn("logos", "list").err
    assert "Older ones are named JOB/2" in user.bmn("logos", "select", "2").err
    listed = user.bmn("logos", "list", "--all").out.splitlines()[1:]
    assert [line.split()[1].rpartition("/")[2] for line in listed] == ["1", "1", "2"]
    assert listed[-1].split()[1] == f"{older}/2"
    assert user.json("logos", "select", f"{older}/2")["jobId"] == older


def test_a_selected_logo_is_found_however_many_are_newer(user: User) -> None:
    """The first page of a list is not the list: what is picked is used, what is there is counted."""
    chosen = user.json("generate", "logos", "--brand", "Acme", "--count", "1")["assets"][0]
    user.json("logos", "select", "1")
    _add_newer_logos(user, chosen["id"], 106)
    assert len(user.json("logos", "list", "--all")["assets"]) == 107
    assert "107 logos" in user.bmn("brands", "show", "Acme").out
    assert user.json("logos", "select", "00000042")["id"].startswith("00000042-")  # an id that reads like a number
    assert user.json("logos", "select", chosen["id"][:8])["id"] == chosen["id"]
    user.bmn("generate", "mockups", "--brand", "Acme", "--detach")
    payload = user.json("jobs", "show", "last")["payload"]
    assert urlsplit(payload["logoUrl"]).path == urlsplit(chosen["url"]).path


def _add_newer_logos(user: User, like: str, number: int) -> None:
    """Rows like that of an asset, each of a job of its own and an hour newer; their ids begin with the hour."""
    with closing(sqlite3.connect(user.stack.home / "bmn.sqlite3", timeout=30)) as conn:
        cursor = conn.execute("SELECT * FROM brand_assets WHERE id = ?", (like,))
        row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
        for hour in range(1, number + 1):
            new = {
                "id": f"{hour:08}{str(uuid4())[8:]}",
                "job_id": f"logo-generation-{uuid4()}",
                "storage_key": f"made-up/{uuid4()}.png",
            }
            row |= {**new, "is_selected": 0, "created_at": row["created_at"] + 3600 * hour}
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            conn.execute(f"INSERT INTO brand_assets ({names}) VALUES ({marks})", tuple(row.values()))
        conn.commit()


@pytest.mark.parametrize("flag", ["--no-color", "--plain"])
def test_a_terminal_without_colors_gets_none(user: User, flag: str) -> None:
    user.json("brands", "create", "Acme")
    with user.on_terminal("brands", "list", flag, env={"NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 0
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.raw)


def test_no_secret_is_ever_printed(user: User) -> None:
    token = user.env["BMN_TOKEN"]
    for command in (("jobs", "list"), ("credits",), ("jobs", "show", "last"), ("--debug", "jobs", "show", "ffff")):
        done = user.bmn(*command)
        assert token not in done.out + done.err


def test_a_name_that_two_brands_have_is_no_guess(user: User) -> None:
    asked = {
        "url": f"{user.stack.api_url}/api/v1/brands",
        "headers": {"Authorization": f"Bearer {user.env['BMN_TOKEN']}"},
    }
    ids = [httpx.post(**asked, json={"name": "Twin"}).raise_for_status().json()["id"] for _ in range(2)]
    for command in (("brands", "show", "Twin"), ("generate", "logos", "--brand", "Twin", "--detach")):
        done = user.bmn(*command)
        assert done.code == 3
        assert all(each in done.err for each in ids), done.err
    assert user.json("brands", "show", ids[0])["id"] == ids[0]


def test_older_movements_of_credits_are_a_page_away(user: User, admin: User) -> None:
    user.bmn("credits")
    for amount in (1, 2, 3):
        admin.bmn("credits", "grant", str(amount), "--user", user.user_id)
    newest = user.bmn("credits", "show", "--limit", "2", "--json")
    document = json.loads(newest.out)
    assert [entry["amount"] for entry in document["ledger"]] == [3, 2]
    assert document["nextCursor"] and "the newest 2 movements" in newest.err
    whole = user.json("credits", "show", "--limit", "500")
    assert [entry["amount"] for entry in whole["ledger"]] == [3, 2, 1, 20] and whole["nextCursor"] is None


def test_an_endpoint_is_named_by_its_first_letters(user: User) -> None:
    made = user.json("webhooks", "add", "https://example.com/hook")
    assert user.json("webhooks", "secret", made["id"][:6])["key"] == made["key"]
    unknown = user.bmn("webhooks", "remove", "ffffffff-none")
    assert unknown.code == 3 and "No webhook endpoint 'ffffffff-none'" in unknown.err
    assert user.json("webhooks", "remove", "https://example.com/hook") == {"removed": made["id"]}


def test_a_mistyped_state_is_told_with_the_one_that_was_meant(user: User) -> None:
    done = user.bmn("jobs", "why", "last:faild")
    assert done.code == 2
    assert done.err.startswith("error: There is no state 'faild'.\n  Did you mean failed?")
