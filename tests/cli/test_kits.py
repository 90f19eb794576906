"""A whole brand from the command line, and a file of them: priced, picked, cancelled, resumed, paid once."""

import json
from pathlib import Path

from tests.kit.stack import User

_SMALL = ("--count", "1", "--product", "mug", "--product", "cap", "--without", "video")


def test_a_kit_is_priced_waits_for_a_pick_and_goes_on(user: User) -> None:
    price = user.json("generate", "kit", "--brand", "Acme", *_SMALL, "--dry-run")
    assert (price["credits"], price["creditsAvailable"]) == (5, 20)
    assert [step["step"] for step in price["steps"]] == ["logos", "mockups", "bundle"]
    assert user.json("brands", "list")["brands"] == []
    begun = user.bmn("generate", "kit", "--brand", "Acme", *_SMALL)
    assert begun.code == 0, begun.err
    assert "Waits until you pick one of 1 logo." in begun.err
    assert "bmn kits pick 1 --kit " in begun.err
    (waiting,) = user.json("kits", "list", "--state", "picking")["kits"]
    assert user.bmn("kits", "pick", "7").code == 3
    assert user.bmn("kits", "pick", "1").code == 0
    done = user.json("kits", "watch", "last")
    assert (done["groupId"], done["state"], done["creditsCharged"]) == (waiting["groupId"], "done", 5)
    group = ("--group", done["groupId"][:8])
    assert len(user.json("jobs", "list", *group)["jobs"]) == 4
    assert user.json("jobs", "count", *group)["total"] == 4
    assert user.bmn("jobs", "watch", *group).code == 0
    assert user.bmn("jobs", "watch").code == 2
    assert user.bmn("jobs", "cancel", *group, "--yes").code == 5
    assert "the brand" not in user.bmn("kits", "show", "last").err


def test_a_file_is_checked_whole_and_a_second_run_pays_nothing(user: User, tmp_path: Path) -> None:
    file = tmp_path / "brands.csv"
    file.write_text("brand,style,count\nAcme,loud,\n,bold,\nNorth,bold,9\nNorth,,\nNorth,,\n")
    refused = user.bmn("generate", "logos", "--from", "brands.csv", "--yes")
    assert refused.code == 2
    for line, words in ((2, "style must be one of"), (3, "brand is missing"), (4, "at most 8"), (6, "same as line 5")):
        assert any(f"line {line}: " in each and words in each for each in refused.err.splitlines()), refused.err
    file.write_text("brand,style,colors,count\nAcme,bold,#112233;#FFFFFF,1\nNorth,,,2\n")
    assert user.bmn("generate", "logos", "--from", "brands.csv").code == 2, "nobody is here to answer"
    assert user.json("jobs", "list")["jobs"] == []
    for mark in ";\t":  # as spreadsheets write it
        (tmp_path / "other.csv").write_text(f"brand{mark}count\r\nAcme{mark}1\r\n", encoding="utf-8-sig")
        assert user.json("generate", "logos", "--from", "other.csv", "--dry-run")["credits"] == 1
    first = user.json("generate", "logos", "--from", "brands.csv", "--yes")
    assert [(row["brand"], row["state"], len(row["urls"])) for row in first["rows"]] == [
        ("Acme", "completed", 1),
        ("North", "completed", 2),
    ]
    results = tmp_path / "brands.results.jsonl"
    assert [json.loads(line)["id"] for line in results.read_text().splitlines()] == [row["id"] for row in first["rows"]]
    results.unlink()  # as if the run had been killed before it was written
    again = user.json("generate", "logos", "--from", "brands.csv", "--yes")
    assert again == first
    assert user.json("credits", "show")["creditsUsed"] == 3
    file.write_text("brand,count\n" + "".join(f"Brand {number},8\n" for number in range(3)))
    poor = user.bmn("generate", "logos", "--from", "brands.csv", "--yes")
    assert poor.code == 6
    assert "This needs 24, and you have 17." in poor.err


def test_the_files_of_a_batch_get_names_of_their_own_and_a_second_run_overwrites_nothing(
    user: User, tmp_path: Path
) -> None:
    out = tmp_path / "pictures"
    out.mkdir()
    (out / "north-logo-1.png").write_text("somebody's own")
    (tmp_path / "brands.csv").write_text("brand,style\nAcme,bold\nAcme,vintage\nNorth,\n")
    command = ("generate", "logos", "--from", "brands.csv", "--count", "2", "--yes", "--out", "pictures")
    first = user.json(*command)
    files = [Path(name) for row in first["rows"] for name in row["files"]]
    assert len({*files}) == 6 and all(file.parent == out and file.stat().st_size for file in files)
    assert [file.name for file in files[:2]] == ["acme-logo-1.png", "acme-logo-2.png"]
    assert (out / "north-logo-1.png").read_text() == "somebody's own"
    files[0].write_text("changed by hand")
    files[2].unlink()
    before = {file: file.stat().st_mtime_ns for file in out.iterdir()}
    again = user.json(*command)
    assert again["rows"][0]["files"] == first["rows"][0]["files"], "what is there stays"
    assert again["rows"][1]["files"] == first["rows"][1]["files"] and files[2].exists(), "what is gone comes back"
    assert files[0].read_text() == "changed by hand"
    assert {file: file.stat().st_mtime_ns for file in before if file != files[3]} == {
        file: at for file, at in before.items() if file != files[3]
    }
    assert user.json("credits", "show")["creditsUsed"] == 6
    (tmp_path / "brands.results.jsonl").unlink()
    (tmp_path / "kits.csv").write_text("brand\nSouth\n")
    kit = ("generate", "kit", "--from", "kits.csv", *_SMALL, "--pick", "1", "--yes", "--out", "pictures")
    names = [Path(name).stem for name in user.json(*kit)["rows"][0]["files"]]
    assert sorted(names) == ["south-bundle-1", "south-logo-1", "south-mockup-1", "south-mockup-2"]


def test_a_kit_is_ended_by_its_group(user: User) -> None:
    begun = user.bmn("generate", "kit", "--brand", "Acme", *_SMALL, "--pick", "1", "--detach")
    group = begun.out.strip()
    ended = user.bmn("jobs", "cancel", "--group", group, "--yes")
    assert ended.code == 0, ended.err
    assert "Cancelled: nothing more is ordered" in ended.out
    assert user.json("kits", "show", group)["state"] == "cancelled"
    assert user.bmn("kits", "cancel", group).code == 5


def test_a_mistyped_part_of_a_kit_is_guessed(user: User) -> None:
    refused = user.bmn("generate", "kit", "--brand", "Acme", "--without", "bundel")
    assert (refused.code, refused.out) == (2, "")
    assert "Did you mean bundle?" in refused.err
