"""`bmn sandbox`: set faults, end them, read the bill, run it alone."""

import json
import re
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.kit.processes import PATIENCE
from tests.kit.stack import User
from tests.kit.terminal import BMN, environment, forked


def test_a_fault_is_set_listed_and_ended(user: User) -> None:
    set_ = user.json("sandbox", "fail", "bfl", "--status", "503", "--times", "3", "--op", "submit")
    assert {key: set_[key] for key in ("provider", "status", "times", "op")} == {
        "provider": "bfl",
        "status": 503,
        "times": 3,
        "op": "submit",
    }
    assert [fault["hits"] for fault in user.json("sandbox", "faults")] == [0]
    assert user.json("sandbox", "faults") == [set_]
    assert user.json("sandbox", "clear", "openai") == {"cleared": 0}
    assert user.json("sandbox", "clear", "bfl") == {"cleared": 1}
    assert user.json("sandbox", "faults") == []


def test_people_are_told_of_a_fault_in_words(user: User) -> None:
    made = user.bmn("sandbox", "fail", "bfl", "--status", "503", "--times", "3")
    assert (made.code, "bfl times=3 status=503" in made.out) == (0, True), made.err
    listed = user.bmn("sandbox", "faults")
    assert (listed.code, "bfl times=3 status=503  (0 hits)" in listed.out) == (0, True)
    cleared = user.bmn("sandbox", "clear")
    assert (cleared.code, "1 fault ended" in cleared.out) == (0, True)
    assert "no faults are set" in user.bmn("sandbox", "faults").out
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    assert re.search(r"\d calls, \$\d+\.\d\d", user.bmn("sandbox", "ledger", "--provider", "bfl").out)


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (["--latency", "8s"], {"latency": 8.0}),
        (["--latency", "0.5"], {"latency": 0.5}),
        (["--drop-response"], {"dropResponse": True}),
        (["--garbage"], {"garbage": "html"}),
        (["--garbage", "truncated"], {"garbage": "truncated"}),
        (["--moderate", "2"], {"moderate": 2}),
        (["--status", "429", "--retry-after", "7"], {"status": 429}),
        (["--image"], {"image": "notimage"}),
        (["--hang", "--after", "1m", "--match", "Acme"], {"hang": True, "after": 60.0, "match": "Acme"}),
    ],
)
def test_every_kind_of_fault_can_be_said(user: User, options: list[str], fields: dict[str, object]) -> None:
    answer = user.json("sandbox", "fail", "bfl", *options)
    assert {key: answer[key] for key in fields} == fields


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody", "--status", "500"], "'nobody' is unknown"),
        (["bfl"], "Say how bfl fails."),
        (["bfl", "--status", "200"], "400<=x<=599"),
        (["bfl", "--latency", "soon"], "not a time span"),
        (["bfl", "--garbage", "confetti"], "garbage"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(user: User, arguments: list[str], said: str) -> None:
    done = user.bmn("sandbox", "fail", *arguments)
    assert done.code == 2
    assert said in done.err
    assert user.json("sandbox", "faults") == []


def test_the_ledger_shows_what_would_have_been_billed(user: User) -> None:
    began = time.time()
    assert user.bmn("generate", "logos", "--brand", "Ledger & Sons", "--count", "2").code == 0
    rows = [row for row in user.json("sandbox", "ledger", "--provider", "bfl") if row["time"] >= began - 1]
    assert [(row["provider"], row["unit"], row["usd"]) for row in rows] == [("bfl", "image", 0.03)] * 2
    assert "2 calls" in user.bmn("sandbox", "ledger", "--since", f"{time.time() - began + 1:.0f}s").out


def test_without_a_sandbox_it_says_what_to_start(home: Path) -> None:
    done = forked("sandbox", "faults", env={"BMN_HOME": str(home)})
    assert done.code == 69
    assert "bmn sandbox run" in done.err


def test_it_runs_alone_and_stops(home: Path) -> None:
    process = subprocess.Popen(
        [BMN, "sandbox", "run", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"BMN_HOME": str(home)}),
    )
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        assert httpx.get(f"{url}/_sandbox/health").json() == {"status": "ok"}
        env = {"BMN_HOME": str(home), "BMN_SANDBOX_URL": url}
        assert json.loads(forked("sandbox", "ledger", "--json", env=env).out) == []
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
