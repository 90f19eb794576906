"""Generating from the command line: documents, files, exit codes, and leaving and coming back."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from tests.kit.processes import wait_until
from tests.kit.stack import User
from tests.kit.terminal import bmn, forked

_KEYS = {
    "jobId",
    "queueName",
    "state",
    "attempts",
    "elapsedMs",
    "costUsd",
    "sandboxed",
    "creditsCharged",
    "assets",
    "error",
}


def test_json_is_one_document_of_the_promised_shape(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme Coffee", "--count", "2", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert set(document) == _KEYS
    assert (document["state"], document["creditsCharged"], document["error"]) == ("completed", 2, None)
    assert [set(asset) for asset in document["assets"]] == [{"id", "type", "url", "file", "metadata"}] * 2


def test_out_writes_different_whole_pictures(user: User, tmp_path: Path) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme Coffee", "--out", "logos")
    assert done.code == 0, done.err
    paths = [tmp_path / line.split("  ", 1)[1] for line in done.out.splitlines()]
    assert [path.name for path in paths] == [f"acme-coffee-logo-{number}.png" for number in (1, 2, 3, 4)]
    assert len({path.read_bytes() for path in paths}) == 4
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == ("PNG", (1024, 1024))


def test_a_second_run_overwrites_nothing(user: User, tmp_path: Path) -> None:
    for _ in range(2):
        assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--out", ".").code == 0
    assert len(list(tmp_path.glob("acme-logo-*.png"))) == 2


def test_a_zero_is_a_value(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--priority", "0", "--detach")
    assert done.code == 4
    assert "Only operators and services may put a job before others" in done.err
    refused = user.bmn("generate", "logos", "--brand", "Acme", "--start-within", "0s", "--detach")
    assert refused.code == 2
    assert "'0s' is not between 1s and 30d" in refused.err


def test_a_pipe_gets_one_plain_line_per_change(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "2")
    assert done.code == 0
    for text in (done.out, done.err):
        assert "\x1b" not in text
        assert "\r" not in text
    lines = done.err.splitlines()
    assert len(lines) == len(set(lines))
    percents = [int(match[1]) for line in lines if (match := re.match(r"[0-9a-f]{8} +(\d+)%", line))]
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_quiet_says_nothing_but_the_answer(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 1


def test_a_name_is_found_again_in_any_case(user: User) -> None:
    assert "made the brand" in user.bmn("generate", "logos", "--brand", "Acme", "--count", "1").err
    assert "made the brand" not in user.bmn("generate", "logos", "--brand", "ACME", "--count", "1").err


def test_a_new_brand_is_what_its_first_logos_were_asked_to_be(user: User) -> None:
    look = ("--style", "vintage", "--color", "#5A3825", "--vision", "slow mornings")
    assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", *look, "--detach").code == 0
    brand = user.json("brands", "show", "Acme")
    assert (brand["logoStyle"], brand["colorPalette"], brand["vision"]) == ("vintage", ["#5A3825"], "slow mornings")
    assert user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--style", "bold", "--detach").code == 0
    assert user.json("brands", "show", "Acme")["logoStyle"] == "vintage"


def test_a_dry_run_for_a_new_name_makes_no_brand(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Blue Bottle", "--style", "bold", "--count", "2", "--dry-run")
    assert done.code == 0
    assert done.out.count('"Blue Bottle"') == 2
    assert "'Blue Bottle' would be made" in done.err
    assert user.json("brands", "list")["brands"] == []
    assert user.bmn("generate", "logos", "--brand", "Blue Bottle", "--refine", "1", "--dry-run").code == 3
    assert user.bmn("generate", "logos", "--brand", str(uuid4()), "--dry-run").code == 3


def test_an_order_that_is_refused_makes_no_brand(user: User) -> None:
    poor = ("--brand", "Poor", "--count", "8")
    for _ in range(20):
        if user.bmn("generate", "logos", *poor, "--detach").code:
            break
    for refused, code in (
        (("generate", "logos", "--brand", "Rich", "--count", "8"), 6),
        (("generate", "kit", "--brand", "Rich", "--pick", "1"), 6),
        (("generate", "logos", "--brand", "Rich", "--count", "1", "--at", "2001-01-01T00:00"), 2),
    ):
        assert user.bmn(*refused, "--detach").code == code, refused
    assert [brand["name"] for brand in user.json("brands", "list")["brands"]] == ["Poor"]


@pytest.mark.full
def test_a_brand_keeps_its_look_through_the_readmes_commands(user: User) -> None:
    """A coffee brand is brown by its name alone, and nothing that is not asked for changes that."""
    acme = ("--brand", "Acme Coffee")

    def palette() -> list[str]:
        found: list[str] = user.json("brands", "show", "Acme Coffee")["colorPalette"]
        return found

    assert user.bmn("generate", "logos", *acme, "--count", "1").code == 0
    brown = palette()
    assert brown[0] == "#6F4E37"
    assert user.bmn("logos", "select", "1", *acme).code == 0
    assert user.bmn("generate", "mockups", *acme, "--product", "Mug").code == 0
    for step in ("brand-identity", "customization", "logo-generation"):
        assert user.bmn("generate", "wizard", step, *acme).code == 0
        assert palette() == brown, step

    once = user.bmn("generate", "logos", *acme, "--count", "1", "--color", "#2D6A4F")
    assert once.code == 0
    told = "Acme Coffee keeps its look; these are green (#2D6A4F) instead of brown"
    assert told in once.err
    assert palette() == brown
    wished = ("generate", "wizard", "customization", *acme, "--input", "wishes=green")
    suggested = user.bmn(*wished)
    assert suggested.code == 0
    assert "suggests green" in suggested.err
    assert palette() == brown
    with user.on_terminal(*wished) as terminal:
        terminal.wait_for("KEEP/change")
        terminal.type("keep\n")
        assert terminal.end() == 0
    assert palette() == brown
    with user.on_terminal("generate", "logos", *acme, "--count", "1", "--color", "#2D6A4F") as terminal:
        terminal.wait_for("KEEP/change")
        terminal.type("change\n")
        assert terminal.end() == 0
    assert palette() == ["#2D6A4F"]
    assert user.bmn("generate", "logos", *acme, "--count", "1", "--color", "#6F4E37", "--change").code == 0
    assert palette() == ["#6F4E37"]
    changed = user.bmn("brands", "change", "Acme Coffee", "--color", "#2D6A4F")
    assert "green (#2D6A4F) instead of brown (#6F4E37)" in changed.out
    assert user.bmn("brands", "change", "Acme Coffee").code == 2


def test_a_mistyped_brand_makes_no_brand_where_a_logo_is_needed(user: User) -> None:
    done = user.bmn("generate", "mockups", "--brand", "Acmee")
    assert done.code == 3
    assert "No brand 'Acmee'" in done.err
    assert user.json("brands", "list")["brands"] == []


@pytest.mark.parametrize("name", ["茶☕ عربي", "Ünïcode & Söhne", "a/b\\c", "-dash"])
def test_any_name_makes_files(user: User, tmp_path: Path, name: str) -> None:
    done = user.bmn("generate", "logos", f"--brand={name}", "--count", "1", "--out", "x")
    assert done.code == 0, done.err
    assert len(list((tmp_path / "x").iterdir())) == 1


def test_an_ascii_locale_degrades_and_does_not_crash(user: User) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = bmn("generate", "logos", "--brand", "茶☕ عربي", "--count", "1", env={**user.env, **env})
    assert done.code == 0, done.err
    assert bmn("jobs", "list", env={**user.env, **env}).code == 0


def test_the_same_key_is_one_job(user: User) -> None:
    command = ("generate", "logos", "--brand", "Acme", "--count", "1", "--idempotency-key", "once-1234")
    first, second = user.json(*command), user.json(*command)
    assert first["jobId"] == second["jobId"]
    done = user.bmn(*command[:-4], "--count", "2", "--idempotency-key", "once-1234")
    assert done.code == 5


def test_a_key_whose_job_has_failed_is_no_new_job(user: User) -> None:
    command = ("generate", "logos", "--brand", "Acme", "--count", "1", "--idempotency-key", "once-5678")
    user.stack.fault(provider="bfl", moderate=1)
    assert user.bmn(*command).code == 7
    again, detached = user.bmn(*command), user.bmn(*command, "--detach")
    for told in (again.err, detached.err):
        assert "this idempotency key belongs to job logo-generation-" in told
        assert "nothing new was started. Retry that job, or send a fresh key" in told
    assert (again.code, detached.code) == (7, 1)
    assert "bmn jobs retry" in detached.err
    assert user.json("jobs", "list")["total"] == 1


def test_detach_prints_the_id_and_watch_ends_it(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
    assert done.code == 0
    assert re.fullmatch(r"logo-generation-[0-9a-f-]{36}\n", done.out)
    assert "bmn jobs watch" in done.err
    watched = user.bmn("jobs", "watch", "last")
    assert watched.code == 0
    assert "✓ completed  1 logo for Acme" in watched.err


def test_refining_starts_from_the_picture_that_was_numbered(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "2")
    refined = user.json("generate", "logos", "--brand", "Acme", "--count", "1", "--refine", "2", "--notes", "rounder")
    assert refined["assets"][0]["metadata"]["is_refinement"] is True


def test_not_enough_credits_is_six_and_says_the_numbers(user: User) -> None:
    for _ in range(2):
        user.bmn("generate", "logos", "--brand", "Acme", "--count", "8", "--detach")
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "8", "--json")
    assert done.code == 6
    assert json.loads(done.out)["error"] | {"requestId": ""} == {
        "code": "insufficient_credits",
        "message": "Insufficient credits",
        "hint": "This needs 8, you have 4. An admin adds more with `bmn credits grant`.",
        "requestId": "",
        "required": 8,
        "available": 4,
    }


def test_a_bad_color_is_named(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme", "--color", "reddish")
    assert done.code == 2
    assert "--color" in done.err
    assert "'reddish' is not a color" in done.err
    assert user.json("brands", "list")["brands"] == []


@pytest.mark.parametrize(("name", "told"), [("", "it is empty"), (" ", "it is empty"), ("x" * 201, "longer than 200")])
def test_a_name_that_no_brand_can_have_is_refused_in_words(name: str, told: str) -> None:
    for words in (("generate", "logos", "--brand"), ("brands", "create")):
        done = forked(*words, name)
        assert done.code == 2
        assert told in done.err


def test_files_that_cannot_be_written_are_told_before_anything_is_made(user: User) -> None:
    Path("taken").touch()
    done = user.bmn("generate", "logos", "--brand", "Acme", "--out", "taken/logos")
    assert done.code == 2
    assert done.err == (
        "error: The folder taken/logos cannot be made: Not a directory.\n  Name another place with --out.\n"
    )
    assert user.bmn("generate", "logos", "--brand", "Acme", "--out", "logos", "--detach").code == 2
    assert user.json("brands", "list")["brands"] == []


def test_a_way_to_show_pictures_that_is_none_is_told_before_anything_is_made(user: User) -> None:
    done = user.bmn("generate", "logos", "--brand", "Acme", env={"BMN_IMAGES": "off"})
    assert done.code == 2
    assert done.err.startswith("error: BMN_IMAGES='off' is not a way to show pictures.\n")
    assert user.json("brands", "list")["brands"] == []


def test_a_provider_that_is_down_is_told_and_explained(user: User) -> None:
    user.stack.fault(provider="bfl", op="submit", status=503)
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1")
    assert done.code == 1
    assert "retrying: attempt 2 of 3" in done.err
    assert "retrying: attempt 3 of 3" in done.err
    assert "0 credits charged, 1 back" in done.err
    why = user.bmn("jobs", "why", "last:failed")
    assert why.code == 0
    assert "provider_overloaded" in why.out
    assert "bmn jobs retry" in why.out


def test_refused_content_is_seven(user: User) -> None:
    user.stack.fault(provider="bfl", moderate=1)
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--json")
    assert done.code == 7
    assert json.loads(done.out)["error"]["code"] == "moderated"


def test_a_part_is_zero_or_nine_with_strict(user: User) -> None:
    user.stack.fault(provider="bfl", moderate=1)
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "2", "--strict")
    assert done.code == 9
    assert "◐ partial  1 logo" in done.err
    assert "1 credit charged, 1 back" in done.err
    assert user.bmn("jobs", "watch", "last").code == 0
    assert user.bmn("jobs", "watch", "last", "--strict").code == 9


def test_a_timeout_leaves_the_job_running(user: User) -> None:
    user.stack.fault(provider="bfl", op="submit", latency=2)
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--timeout", "1s", "--json")
    assert done.code == 124
    error = json.loads(done.out)["error"]
    assert error["code"] == "timeout"
    user.stack.mend()
    assert user.bmn("jobs", "watch", error["jobIds"][0]).code == 0


def test_a_cancelled_job_ends_its_watch_with_eight(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    user.bmn("generate", "logos", "--brand", "Acme", "--count", "1", "--detach")
    with user.on_terminal("jobs", "watch", "last") as terminal:
        terminal.wait_for("━")
        assert user.bmn("jobs", "cancel", "last").code == 0
        assert terminal.end() == 8
        assert "⊘ cancelled" in terminal.text


def test_a_cancel_says_once_what_still_arrives_and_how_to_see_it(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", pending=True)
    with user.on_terminal("generate", "logos", "--brand", "Acme", "--count", "2") as terminal:
        terminal.wait_for("━")
        wait_until(lambda: [unit["state"] for unit in user.json("jobs", "show", "last")["units"]] == ["submitted"] * 2)
        answer = user.bmn("jobs", "cancel", "last")
        assert terminal.end() == 8
        watched = terminal.text
    assert answer.code == 0
    assert answer.out.count("credit") + answer.err.count("credit") == 1, "its figures once"
    assert "2 ordered before are still to come, and will be in the brand." in answer.out
    [fetching] = re.findall(r"The job ([0-9a-f]{8}) fetches what is still to come", answer.err)
    assert f"next: bmn jobs watch {fetching}" in answer.err
    assert "2 ordered before still to come" in watched
    assert f"next: bmn jobs watch {fetching}" in watched
    user.stack.mend()
    fetched = user.bmn("jobs", "watch", fetching)
    assert fetched.code == 0
    assert "2 logos for Acme" in fetched.err


def test_ctrl_c_detaches_at_once_and_the_job_goes_on(user: User) -> None:
    user.stack.fault(provider="bfl", op="submit", latency=1)
    with user.on_terminal("generate", "logos", "--brand", "Acme", "--count", "2") as terminal:
        terminal.wait_for("%")
        terminal.press_ctrl_c()
        assert terminal.end(5) == 130
        assert "Traceback" not in terminal.text
        [command] = re.findall(r"detached; the job continues: (bmn jobs watch [0-9a-f]{8})", terminal.text)
    done = user.bmn(*command.split()[1:])
    assert done.code == 0
    assert "✓ completed  2 logos" in done.err


def test_bars_move_on_a_terminal_and_pictures_are_numbered(user: User) -> None:
    env = {"BMN_IMAGES": "blocks", "COLORTERM": "truecolor"}
    with user.on_terminal("generate", "logos", "--brand", "Acme Coffee", "--count", "2", env=env) as terminal:
        assert terminal.end() == 0
        text = terminal.text
    assert text.count(f"{'▀' * 36}  {'▀' * 36}") == 18  # one row of two, 36 cells wide and half as high
    assert re.search(r"^ +1 [A-Z].* +2 [A-Z]", text, re.MULTILINE)
    assert f"✓  1             {'━' * 24} 100%  done" in text
    assert f"✓ Acme Coffee    {'━' * 24} 100%" in text
    assert text.count("Acme Coffee    ━") == 1, "the bars were left behind when a picture was shown"


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
def test_no_bars_where_nobody_looks(user: User, variables: dict[str, str]) -> None:
    with user.on_terminal("generate", "logos", "--brand", "Acme", "--count", "1", env=variables) as terminal:
        assert terminal.end() == 0
        assert "━" not in terminal.text
        assert b"\x1b[" not in re.sub(rb"\x1b\[[0-9;]*m", b"", terminal.raw)


def test_bars_survive_a_resize(user: User) -> None:
    user.stack.fault(provider="bfl", op="poll", latency=0.2)
    with user.on_terminal("generate", "logos", "--brand", "Acme", columns=100) as terminal:
        terminal.wait_for("━")
        terminal.resize(60, 40)
        assert terminal.end() == 0
        assert "✓ completed  4 logos" in terminal.text


def test_a_new_brand_that_is_nearly_an_old_one_is_told_as_another(user: User) -> None:
    user.json("brands", "create", "Nordic Sleep")
    priced = user.bmn("generate", "logos", "--brand", "Nordic Slep", "--count", "1", "--dry-run")
    assert "the brand 'Nordic Slep' would be made, which is another than 'Nordic Sleep'" in priced.err
    ordered = user.bmn("generate", "logos", "--brand", "Nordic Slep", "--count", "1", "--detach")
    assert "made the brand 'Nordic Slep', which is another than 'Nordic Sleep'" in ordered.err
    other = user.bmn("generate", "logos", "--brand", "Acme Coffee", "--count", "1", "--dry-run")
    assert "another than" not in other.err
