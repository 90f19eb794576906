"""The other generators, dry runs, and a stack of one's own where no server runs."""

import json
import re
from pathlib import Path

import pytest

from tests.kit.stack import User
from tests.kit.terminal import forked, on_terminal


def test_from_a_logo_to_a_video(user: User, tmp_path: Path) -> None:
    brand = ("--brand", "Acme Coffee")
    assert user.json("generate", "logos", *brand, "--count", "1")["state"] == "completed"
    mockups = user.bmn("generate", "mockups", *brand, "--product", "mug", "--product", "tote", "--out", "made")
    assert mockups.code == 0, mockups.err
    assert [path.name for path in sorted((tmp_path / "made").iterdir())] == [
        "acme-coffee-mockup-1.png",
        "acme-coffee-mockup-2.png",
    ]
    assert "Tote bag" in mockups.err
    bundle = user.json("generate", "bundle", *brand, "--name", "Morning set")
    assert [asset["type"] for asset in bundle["assets"]] == ["bundle"]
    video = user.bmn("generate", "video", *brand, "--duration", "3", "--out", "made", "--json")
    assert video.code == 0, video.err
    [asset] = json.loads(video.out)["assets"]
    assert Path(asset["file"]).suffix == ".mp4"
    assert (tmp_path / asset["file"]).read_bytes()[4:8] == b"ftyp"


def test_several_jobs_are_one_document(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    document = user.json("generate", "mockups", "--brand", "Acme", "--product", "mug", "--product", "cap")
    assert [job["queueName"] for job in document["jobs"]] == ["mockup-generation"] * 2


def test_a_wizard_step_streams_what_the_agent_says(user: User) -> None:
    done = user.bmn("generate", "wizard", "brand-identity", "--brand", "Acme", "--input", "audience=early risers")
    assert done.code == 0, done.err
    assert "Completed: read brand" in done.err
    assert "Acme: brand identity is done" in done.err


def test_an_unknown_step_lists_the_steps(user: User) -> None:
    done = user.bmn("generate", "wizard", "lunch", "--brand", "Acme")
    assert done.code == 2
    assert "profit-calculator" in done.err


def test_a_dry_run_shows_prompts_and_cost_and_submits_nothing(user: User) -> None:
    user.json("brands", "create", "Acme")
    done = user.bmn("generate", "logos", "--brand", "Acme", "--count", "3", "--dry-run")
    assert done.code == 0, done.err
    assert len(re.findall(r"^\d  .*Acme", done.out, re.MULTILINE)) == 3
    assert "credits   3 of 20" in done.out
    assert "cost      sandbox: $0.00 (with a key: $0.09)" in done.out
    assert "next: bmn generate logos --brand Acme --count 3\n" in done.err
    assert user.json("jobs", "list")["jobs"] == []
    assert user.json("credits", "show")["creditsRemaining"] == 20


def test_without_a_server_a_private_one_does_the_job(home: Path) -> None:
    env = {"PORT": "1"}
    done = forked("generate", "logos", "--brand", "Acme", "--count", "1", "--out", "logos", env=env)
    assert done.code == 0, done.err
    assert done.err.startswith("no server is running: starting a private one")
    assert Path("logos/acme-logo-1.png").is_file()
    assert "bmn serve" in done.err
    assert forked("jobs", "list", env=env).code == 69


@pytest.mark.full
def test_ctrl_c_in_a_private_stack_says_where_the_job_goes_on(home: Path) -> None:
    with on_terminal("generate", "logos", "--brand", "Acme", columns=120, env={"PORT": "1"}) as terminal:
        terminal.wait_for("━")
        terminal.press_ctrl_c()
        assert terminal.end(20) == 130
        assert "Traceback" not in terminal.text
        assert "the job goes on at the next `bmn serve`" in terminal.text
