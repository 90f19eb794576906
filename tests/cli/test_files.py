"""Files that were asked for: one rule for their names, no folder that nobody named, a list that can be read and typed."""

from pathlib import Path

import pytest

from tests.kit.stack import User


def _here() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def test_saving_a_logo_names_it_as_its_job_did(user: User) -> None:
    job = user.json("generate", "logos", "--brand", "Acme", "--count", "3", "--out", ".")["jobId"]
    made = _here()
    assert made == {"acme-logo-1.png", "acme-logo-2.png", "acme-logo-3.png"}
    assert user.json("logos", "save", "2")["file"] == "acme-logo-2.png"
    assert _here() == made, "the same picture is the same file"
    Path("acme-logo-2.png").write_bytes(b"mine")
    tag = job.removeprefix("logo-generation-")[:4]
    for _ in range(2):
        assert user.json("logos", "save", "2")["file"] == f"acme-logo-{tag}-2.png"
    assert Path("acme-logo-2.png").read_bytes() == b"mine"
    assert _here() == {*made, f"acme-logo-{tag}-2.png"}


@pytest.mark.parametrize("out", ["nowhere/x.png", "nowhere/deeper/"])
def test_a_folder_that_is_not_there_is_an_error_of_saving(user: User, out: str) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    done = user.bmn("logos", "save", "1", "--out", out)
    assert done.code == 2
    assert done.err.startswith(f"error: {'The folder nowhere/deeper' if out.endswith('/') else out} cannot be ")
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    "command", [("generate", "logos", "--count", "1", "--brand", "Acme"), ("generate", "kit", "--brand", "Acme")]
)
def test_a_folder_for_many_is_made_one_level_deep(user: User, command: tuple[str, ...]) -> None:
    done = user.bmn(*command, "--out", "nowhere/deeper")
    assert done.code == 2
    assert "The folder nowhere/deeper cannot be made" in done.err
    assert not Path("nowhere").exists()
    assert user.json("jobs", "list")["jobs"] == []


def test_several_jobs_that_went_well_are_one_sum_and_their_files_are_whole(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    products = [word for name in ("hoodie", "cap", "poster") for word in ("--product", name)]
    command = ("generate", "mockups", "--brand", "Acme", *products, "--images", "none")
    _, text = user.seen_at(80, *command)
    [summed] = [line for line in text.splitlines() if "completed" in line]
    assert summed.endswith("3 credits · sandbox: $0.00"), "nothing of it is on a line of its own"
    assert summed.startswith("✓ completed  3 mockups for Acme in ")
    listed = text.split("\nin ")[1].splitlines()
    files = [line.partition("  ")[2] for line in listed if line[:1].isdigit()]
    folder = "".join(line.strip() for line in listed[: next(at for at, line in enumerate(listed) if line[:1] == "1")])
    assert len(files) == 3
    assert all(Path(folder, file).is_file() for file in files), text
    _, kept = user.seen_at(80, *command, "--out", str(Path("made").absolute()))
    assert [line for line in kept.splitlines() if line[:1].isdigit()] == [
        f"{number}  made/acme-mockup-{number}.png" for number in (1, 2, 3)
    ]
