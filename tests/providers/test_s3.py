"""Objects in an S3 store, against its emulator."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bmn.errors import Cause, JobFailure
from bmn.settings import Settings
from bmn.storage import Storage, object_key, open_storage
from bmn.work.archive.archive_files import find_archive
from tests.kit.sandbox import SandboxControl
from tests.kit.wire import failing


@pytest.fixture
def storage(home: Path, sandbox: SandboxControl) -> Storage:
    return open_storage(
        Settings(
            bmn_home=home,
            storage_backend="s3",
            s3_endpoint=f"{sandbox.url}/s3",
            s3_access_key_id="id",
            s3_secret_access_key="secret",
            public_base_url="https://assets.example.org",
        )
    )


def key() -> str:
    return object_key(str(uuid4()), "logo", "image/png")


async def test_what_is_put_can_be_read_listed_and_deleted(storage: Storage) -> None:
    mine = key()
    await storage.put(mine, b"x" * 6_000_000, "image/png")
    assert await storage.head(mine) == 6_000_000
    assert len(await storage.get(mine)) == 6_000_000
    assert mine in [found for found, _ in await storage.list()]
    await storage.delete(mine)
    with pytest.raises(FileNotFoundError):
        await storage.get(mine)


def test_public_objects_have_the_public_address(storage: Storage) -> None:
    mine = key()
    assert storage.url_for(mine) == f"https://assets.example.org/{mine}"
    assert storage.key_of(storage.url_for(mine)) == mine


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 403}, {"dropResponse": True}])
async def test_what_was_refused_is_kept_here_and_stored_later(
    storage: Storage, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    sandbox.fault("s3", op="put", **fault)
    mine = key()
    failure = await failing(storage.put(mine, b"paid for", "image/png"))
    assert failure.cause is Cause.STORAGE_FAILED
    assert await storage.spooled(mine) == b"paid for"
    sandbox.clear()
    await storage.put(mine, b"paid for", "image/png")
    assert await storage.get(mine) == b"paid for"
    assert await storage.spooled(mine) is None


async def test_a_failed_read_says_so(storage: Storage, sandbox: SandboxControl) -> None:
    mine = key()
    await storage.put(mine, b"x", "image/png")
    sandbox.fault("s3", op="get", status=500)
    assert (await failing(storage.get(mine))).cause is Cause.STORAGE_FAILED


async def test_files_of_the_archive_are_in_a_bucket_of_their_own(home: Path, sandbox: SandboxControl) -> None:
    settings = Settings(
        bmn_home=home,
        storage_backend="s3",
        s3_endpoint=f"{sandbox.url}/s3",
        s3_access_key_id="id",
        s3_secret_access_key="secret",
        public_base_url="https://assets.example.org",
        bmn_archive_days=30,
        bmn_archive_bucket="archive",
    )
    archive = find_archive(settings)
    file = await archive.write("jobs", b"rows", since=1.0, upto=2.0, rows=1)
    assert await archive.list("jobs") == await archive.list() == [file]
    assert await archive.list("kits") == []
    assert await archive.read(file) == b"rows"
    assert file.key not in [found for found, _ in await open_storage(settings).list("archive")]
    await archive.delete(file)
    with pytest.raises(JobFailure):
        await archive.read(file)
