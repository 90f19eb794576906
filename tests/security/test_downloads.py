"""Where a server's words lead on the machine of whoever asks it: to files and pages of its own, and nowhere else."""

from pathlib import Path

import pytest

from bmn.cli.following.output_files import local_path, write
from bmn.client import Client
from bmn.settings import load_settings

ODD = (
    "../secret",
    "..%2Fsecret",
    "%2Fetc/hostname",
    "/etc/hostname",
    "brands/..%2f../..%2fsecret",
    "a%00b",
    "link/secret",
)


@pytest.mark.parametrize("words", ODD)
async def test_no_address_of_a_picture_names_a_file_outside_of_the_objects(tmp_path: Path, words: str) -> None:
    (tmp_path / "objects" / "brands").mkdir(parents=True)
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "objects" / "link").symlink_to(tmp_path)
    (tmp_path / "objects" / "brands" / "a.png").write_bytes(b"picture")
    async with Client(load_settings(bmn_home=tmp_path), api_url="http://127.0.0.1:3000") as client:
        assert local_path(client, f"http://127.0.0.1:3000/files/{words}") is None
        assert local_path(client, "/files/brands/a.png") == tmp_path / "objects" / "brands" / "a.png"


def test_a_picture_is_not_written_through_a_link_that_somebody_has_put_there(tmp_path: Path) -> None:
    other, folder = tmp_path / "profile", tmp_path / "shared"
    other.write_text("mine")
    folder.mkdir()
    for name in (".acme-1.png.part", "acme-1.png"):
        (folder / name).symlink_to(other)
    write(folder / "acme-1.png", b"picture")
    assert (other.read_text(), (folder / "acme-1.png").read_bytes()) == ("mine", b"picture")
    assert [path.name for path in folder.iterdir()] == ["acme-1.png"]
