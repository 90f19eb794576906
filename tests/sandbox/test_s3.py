"""obstore's S3 client against the sandbox."""

from datetime import timedelta
from typing import Any

import httpx
import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from tests.kit.sandbox import RunningSandbox

KEY = "brands/1/logo ä+1.png"


@pytest.fixture
def store(sandbox: RunningSandbox) -> Any:
    return S3Store(
        "brand-assets",
        endpoint=f"{sandbox.url}/s3",
        region="auto",
        access_key_id="key",
        secret_access_key="secret",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "10s"},
        retry_config={"max_retries": 0},
    )


def put(store: Any, key: str = KEY, data: bytes = b"picture", **more: Any) -> Any:
    return obstore.put(store, key, data, use_multipart=False, **more)


async def test_what_was_put_is_got_with_its_attributes(store: Any) -> None:
    result = await obstore.put_async(
        store, KEY, b"picture", attributes={"Content-Type": "image/png", "Cache-Control": "max-age=60"},
        use_multipart=False,
    )  # fmt: skip
    got = await obstore.get_async(store, KEY)
    assert bytes(await got.bytes_async()) == b"picture"
    assert got.attributes["Content-Type"] == "image/png"
    meta = await obstore.head_async(store, KEY)
    assert (meta["path"], meta["size"], meta["e_tag"]) == (KEY, 7, result["e_tag"])


def test_a_range_is_a_part(store: Any) -> None:
    put(store, data=b"0123456789")
    assert bytes(obstore.get_range(store, KEY, start=2, end=5)) == b"234"


def test_a_key_can_be_created_only_once(store: Any) -> None:
    put(store, mode="create")
    with pytest.raises(AlreadyExistsError):
        put(store, mode="create", data=b"other")
    assert bytes(obstore.get(store, KEY).bytes()) == b"picture"


def test_what_is_deleted_is_gone(store: Any, sandbox: RunningSandbox) -> None:
    for key in ("a", "b"):
        put(store, key)
    obstore.delete(store, ["a", "b"])
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "a")
    assert list((sandbox.state_dir / "s3").iterdir()) == []


def test_an_overwrite_leaves_no_file_behind(store: Any, sandbox: RunningSandbox) -> None:
    put(store)
    put(store, data=b"newer")
    assert bytes(obstore.get(store, KEY).bytes()) == b"newer"
    assert len(list((sandbox.state_dir / "s3").iterdir())) == 1


def test_objects_are_listed_by_prefix_and_folder(store: Any) -> None:
    for key in ("a/1", "a/2", "a/b/3", "c"):
        put(store, key)
    found = [item["path"] for batch in obstore.list(store, prefix="a") for item in batch]
    assert found == ["a/1", "a/2", "a/b/3"]
    folder = obstore.list_with_delimiter(store, prefix="a")
    assert list(folder["common_prefixes"]) == ["a/b"]
    assert [item["path"] for item in folder["objects"]] == ["a/1", "a/2"]


def test_a_long_list_comes_in_pages(sandbox: RunningSandbox, store: Any) -> None:
    for number in range(5):
        put(store, f"k{number}")
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
    seen, query = "", {"list-type": "2", "max-keys": "2"}
    for _ in range(3):
        page = httpx.get(f"{sandbox.url}/s3/brand-assets", params=query, headers=headers).text
        seen += "".join(f"k{n}" for n in range(5) if f"<Key>k{n}</Key>" in page)
        query["continuation-token"] = page.partition("<NextContinuationToken>")[2].partition("<")[0]
    assert seen == "k0k1k2k3k4"


def test_an_object_can_be_copied(store: Any) -> None:
    put(store)
    obstore.copy(store, KEY, "copy.png")
    assert bytes(obstore.get(store, "copy.png").bytes()) == b"picture"


def test_a_signed_address_opens_without_a_key(store: Any) -> None:
    put(store)
    assert httpx.get(obstore.sign(store, "GET", KEY, timedelta(minutes=1))).content == b"picture"


def test_an_unsigned_call_is_refused(sandbox: RunningSandbox, store: Any) -> None:
    put(store)
    assert httpx.get(f"{sandbox.url}/s3/brand-assets/{KEY}").status_code == 403
    stale = "X-Amz-Signature=0&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60"
    assert "expired" in httpx.get(f"{sandbox.url}/s3/brand-assets/{KEY}?{stale}").text


def test_a_server_error_is_seen_and_passes(sandbox: RunningSandbox, store: Any) -> None:
    sandbox.fault("s3", status=503, times=1)
    with pytest.raises(BaseError):
        put(store)
    put(store)


def test_objects_outlive_a_restart(sandbox: RunningSandbox, store: Any) -> None:
    from bmn_sandbox.s3 import Shelf
    from bmn_sandbox.state import Sandbox

    put(store)
    again = Shelf(Sandbox(sandbox.state_dir, 0))
    assert again._find("brand-assets", KEY) is not None
