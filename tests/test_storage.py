"""Objects: keys that cannot leave their place, bytes that survive, addresses that lead back to keys."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from bmn.errors import Cause, JobFailure, Misconfigured
from bmn.settings import Settings
from bmn.storage import Storage, check_key, object_key, open_storage

BRAND = str(uuid4())


@pytest.fixture
def storage(home: Path) -> Storage:
    return open_storage(Settings(bmn_home=home))


async def test_what_is_put_can_be_read_listed_and_deleted(storage: Storage) -> None:
    key = object_key(BRAND, "logo", "image/png")
    await storage.put(key, b"pixels", "image/png")
    assert await storage.get(key) == b"pixels"
    assert await storage.head(key) == 6
    assert [found for found, _ in await storage.list()] == [key]
    await storage.delete(key)
    await storage.delete(key)
    with pytest.raises(FileNotFoundError):
        await storage.get(key)


async def test_a_put_leaves_no_half_written_file(storage: Storage, home: Path) -> None:
    key = object_key(BRAND, "video", "video/mp4", "job-1-video")
    await storage.put(key, b"x" * 100_000, "video/mp4")
    assert [path.name for path in (home / "objects").rglob("*") if path.is_file()] == ["job-1-video.mp4"]


async def test_what_a_process_that_died_had_half_written_is_no_object_and_goes(storage: Storage, home: Path) -> None:
    key = object_key(BRAND, "logo", "image/png")
    code = f"""
import asyncio
from pathlib import Path
from bmn.settings import Settings
from bmn.storage import open_storage
asyncio.run(open_storage(Settings(bmn_home=Path({str(home)!r}))).put({key!r}, b"pixels", "image/png"))
"""
    env = {**os.environ, "BMN_KILL_AT": "storing"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=env)
    assert await process.wait() == -signal.SIGKILL
    assert await storage.list() == []
    with pytest.raises(FileNotFoundError):
        await storage.get(key)
    await storage.put(key, b"pixels", "image/png")
    assert await storage.sweep(older_than=3600) == 0
    assert await storage.sweep(older_than=-1) == 1
    assert [path for path in (home / "objects").rglob("*") if path.is_file()] == [home / "objects" / key]


@pytest.mark.parametrize(
    "key",
    [
        "../etc/passwd",
        "brands/../../etc/passwd",
        "brands/a/b/../c",
        "brands/a/b/..",
        "/brands/a/b/c",
        "brands//b/c",
        "brands/a/b/c/d",
        "brands/a/b/%2e%2e",
        "brands/a/b/c\\d",
        "brands/a/b/c\0d",
        "brands/a/b/" + "x" * 300,
        "brands/a/b/.hidden",
        "brands/a/b/ü",
        "",
    ],
)
async def test_a_key_that_is_not_ours_is_refused_everywhere(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        await storage.put(key, b"x", "image/png")
    with pytest.raises(ValueError, match="not a storage key"):
        await storage.get(key)
    assert storage.key_of(f"http://127.0.0.1:3000/files/{key}") is None


async def test_a_link_in_the_folder_does_not_lead_out_of_it(storage: Storage, home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"secret")
    folder = home / "objects" / "brands" / BRAND
    folder.mkdir(parents=True)
    (folder / "logo").symlink_to(outside)
    key = f"brands/{BRAND}/logo/secret.png"
    for act in (storage.get(key), storage.put(key, b"mine", "image/png"), storage.head(key)):
        with pytest.raises((FileNotFoundError, JobFailure)):
            await act
    assert (outside / "secret.png").read_bytes() == b"secret"


def test_our_own_addresses_become_keys_and_foreign_ones_do_not(home: Path) -> None:
    storage = open_storage(Settings(bmn_home=home, public_url="https://brand.example"))
    key = object_key(BRAND, "logo", "image/png")
    assert storage.key_of(storage.url_for(key)) == key
    assert storage.key_of(storage.url_for(key) + "?sig=abc&exp=1") == key
    assert storage.key_of(f"http://127.0.0.1:40123/files/{key}") == key  # written when it had another port
    assert storage.key_of(f"https://brand.example.evil.test/files/{key}") is None
    assert storage.key_of(f"https://elsewhere.test/files/{key}") is None


def test_in_production_a_loopback_address_is_foreign(home: Path) -> None:
    storage = open_storage(Settings(bmn_home=home, bmn_env="production", public_url="https://brand.example"))
    assert storage.key_of(f"http://127.0.0.1:3000/files/{object_key(BRAND, 'logo', 'image/png')}") is None


def test_s3_without_its_keys_says_which_are_missing(home: Path) -> None:
    with pytest.raises(Misconfigured, match="S3_ENDPOINT"):
        open_storage(Settings(bmn_home=home, storage_backend="s3"))


async def test_what_s3_would_not_take_stays_on_this_machine_until_it_does(home: Path) -> None:
    settings = Settings(
        bmn_home=home,
        storage_backend="s3",
        s3_endpoint="http://127.0.0.1:9",
        s3_access_key_id="id",
        s3_secret_access_key="secret",
    )
    storage = open_storage(settings)
    key = check_key(object_key(BRAND, "logo", "image/png"))
    with pytest.raises(JobFailure) as caught:
        await storage.put(key, b"paid for", "image/png")
    assert caught.value.cause is Cause.STORAGE_FAILED
    assert await storage.spooled(key) == b"paid for"
    assert await storage.sweep(older_than=3600) == 0
    assert await storage.sweep(older_than=-1) == 1
    assert await storage.spooled(key) is None
