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


def test_a_file_in_a_folder_that_is_not_there_is_an_error_of_saving(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1")
    done = user.bmn("logos", "save", "1", "--out", "nowhere/x.png")
    assert done.code == 2
    assert done.err.startswith("error: nowhere/x.png cannot be ")
    assert not Path("nowhere").exists()


def test_a_folder_is_made_with_those_it_is_in(user: User) -> None:
    user.json("generate", "logos", "--brand", "Acme", "--count", "1", "--out", "new/logos")
    user.json("logos", "save", "1", "--out", "new/picked/")
    assert len(list(Path("new/logos").glob("*.png"))) == len(list(Path("new/picked").glob("*.png"))) == 1


@pytest.mark.parametrize(
    "command", [("generate", "logos", "--count", "1", "--brand", "Acme"), ("generate", "kit", "--brand", "Acme")]
)
def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_paid_for(
    user: User, command: tuple[str, ...]
) -> None:
    Path("file").write_text("")
    done = user.bmn(*command, "--out", "file/deeper")
    assert done.code == 2
    assert "The folder file/deeper cannot be made: Not a directory." in done.err
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
