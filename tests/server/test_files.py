"""Files: for the owner, or for a link that was signed here. Everything else is absent."""

import time
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from bmn.mime import mime_of
from bmn.settings import load_settings
from bmn.signing import Signer
from bmn.storage import open_storage
from tests.kit.api import Api
from tests.kit.jobs import add_asset
from tests.server.files import PNG, brand, signed_url

__all__ = ["brand"]  # a fixture


async def test_the_owner_reads_with_a_token_and_anybody_with_a_signed_link(
    api: Api, ana: httpx.AsyncClient, ben: httpx.AsyncClient, admin: httpx.AsyncClient, brand: str
) -> None:
    url = await signed_url(ana, brand)
    plain = url.split("?")[0]
    for client, address, status in (
        (ana, plain, 200),
        (admin, plain, 404),
        (admin, f"{plain}?reveal=true&reason=ticket", 200),
        (ben, plain, 404),
        (api.anonymous(), plain, 401),
        (api.anonymous(), url, 200),
        (ben, url, 200),
    ):
        answer = await client.get(address)
        assert answer.status_code == status, (address, status)
    answer = await ana.get(plain)
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"If-Match": '"zz"'}, 412), ({"Range": "bytes=99999999-"}, 416), ({"If-None-Match": "*"}, 304), ({}, 200)],
)
async def test_whatever_says_something_of_a_file_of_another_is_a_look(
    ana: httpx.AsyncClient, admin: httpx.AsyncClient, brand: str, asked: dict[str, str], status: int
) -> None:
    """Its size and its digest are in the headers of answers that carry nothing of it."""
    url = (await signed_url(ana, brand)).split("?")[0]
    answer = await admin.get(url, params={"reveal": "true", "reason": "ticket 7"}, headers=asked)
    assert (answer.status_code, "etag" in answer.headers) == (status, True)
    looks = (await admin.get("/api/v1/admin/audit", params={"action": "reveal.file"})).json()["entries"]
    assert [look["reason"] for look in looks] == ["ticket 7"]


async def test_a_link_works_for_its_own_file_and_its_own_time(api: Api, ana: httpx.AsyncClient, brand: str) -> None:
    await add_asset(api.core, brand, data=PNG)
    rows = (await ana.get(f"/api/v1/brands/{brand}/assets")).json()["assets"]
    (one, query), (other, _) = (row["url"].split("?") for row in rows)
    until = int(query.split("until=")[1].split("&")[0])
    assert 3600 <= until - time.time() <= 7200
    anybody = api.anonymous()
    assert (await anybody.get(f"{one}?{query}")).status_code == 200
    for forged in (
        f"{other}?{query}",
        f"{one}?{query.replace(str(until), str(until + 3600))}",
        f"{one}?until={until}",
        f"{one}?until={until}&signature=",
        f"{one}?until={until}&signature=AAAAAAAAAAAAAAAAAAAAAAAA",
        f"{one}?until=-1&signature=x",
        f"{one}?until=%C2%B2&signature=x",
        f"{one}?until={'9' * 40}&signature=x",
    ):
        assert (await anybody.get(forged)).status_code == 401, forged
    key = one.split("/files/")[1]
    past = int(time.time()) - 1
    ended = api.app.resources.signer._sign("file", key, past)
    assert (await anybody.get(f"{one}?until={past}&signature={ended}")).status_code == 401


async def test_no_path_leads_out_of_the_store(api: Api, ana: httpx.AsyncClient, brand: str, home: Path) -> None:
    (home / "secret.txt").write_text("secret")
    folder = home / "objects" / "brands" / brand / "logo"
    (folder / "link.png").symlink_to(home / "secret.txt")
    (folder / "out").symlink_to(home)
    for path in (
        "../secret.txt",
        "..%2f..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "..\\secret.txt",
        f"brands/{brand}/logo/..%2f..%2f..%2f..%2fsecret.txt",
        f"brands/{brand}/../../../secret.txt",
        f"brands/{brand}/logo/link.png",
        f"brands/{brand}/logo/out/secret.txt",
        f"brands/{brand}/logo/a%00.png",
        f"brands/{brand}/logo/" + "a" * 300,
        f"brands/{brand}/logo/",
        f"brands/{brand}",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "",
    ):
        answer = await ana.get(f"/files/{path}")
        assert answer.status_code == 404, path
        assert "secret" not in answer.text


async def test_what_is_no_picture_is_handed_out_as_a_download(api: Api, ana: httpx.AsyncClient, brand: str) -> None:
    await add_asset(api.core, brand, data=b"<html><script>alert(1)</script>")
    answer = await ana.get((await signed_url(ana, brand)).split("?")[0])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


def test_types_are_read_from_the_bytes() -> None:
    found = [mime_of(data) for data in (PNG, b"\xff\xd8\xff\xe0", b"RIFF....WEBPVP8 ", b"\0\0\0\x20ftypisom", b"<svg>")]
    assert found == ["image/png", "image/jpeg", "image/webp", "video/mp4", "application/octet-stream"]


def test_only_our_own_addresses_are_signed(home: Path) -> None:
    settings = load_settings(public_url="http://127.0.0.1:3000")
    signer = Signer(settings, open_storage(settings))
    data = {
        "url": "http://127.0.0.1:3000/files/brands/b/logo/a.png",
        "list": ["https://cdn.example/files/brands/b/logo/a.png", 3, None],
        "text": "see http://127.0.0.1:3000/files/brands/b/logo/a.png",
    }
    shown = signer.sign_all(data)
    assert shown["url"].startswith(data["url"] + "?until=")
    assert (shown["list"], shown["text"]) == (data["list"], data["text"])
    assert signer.signed(shown["url"]) == shown["url"]


def test_links_end_with_the_secret_that_signed_them(home: Path) -> None:
    first, second = (
        Signer(settings, open_storage(settings))
        for settings in (load_settings(bmn_signing_secret="one"), load_settings(bmn_signing_secret="two"))
    )
    until = str(int(time.time()) + 100)
    signature = first._sign("file", "k", int(until))
    assert first.allows("k", until, signature) and not second.allows("k", until, signature)


def test_a_public_bucket_needs_no_signature(home: Path) -> None:
    settings = load_settings(public_base_url="https://cdn.example")
    signer = Signer(settings, open_storage(settings))
    url = "https://cdn.example/brands/b/logo/a.png"
    assert signer.signed(url) == url


@pytest.mark.parametrize(
    ("wanted", "status", "part", "told"),
    [
        ("bytes=0-1", 206, PNG[:2], "bytes 0-1/14"),
        ("bytes=8-", 206, PNG[8:], "bytes 8-13/14"),
        ("bytes=-4", 206, PNG[-4:], "bytes 10-13/14"),
        ("bytes=5-999", 206, PNG[5:], "bytes 5-13/14"),
        ("bytes=99-", 416, b"", "bytes */14"),
        ("bytes=-0", 416, b"", "bytes */14"),
        ("bytes=5-2", 200, PNG, None),  # no range: to be ignored
        ("bytes=0-1,4-5", 200, PNG, None),  # may be answered with the whole
        ("bytes=-", 200, PNG, None),
        ("lines=1-2", 200, PNG, None),
    ],
)
async def test_a_video_player_may_ask_for_a_range(
    ana: httpx.AsyncClient, brand: str, wanted: str, status: int, part: bytes, told: str | None
) -> None:
    answer = await ana.get((await signed_url(ana, brand)).split("?")[0], headers={"Range": wanted})
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, part, told)


async def test_a_copy_that_is_still_good_is_not_sent_again(api: Api, ana: httpx.AsyncClient, brand: str) -> None:
    url = (await signed_url(ana, brand)).split("?")[0]
    tag = (await ana.get(url)).headers["etag"]
    for condition in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        answer = await ana.get(url, headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag), condition
    assert (await ana.get(url, headers={"If-None-Match": '"another"'})).status_code == 200
    for condition, status in ((tag, 206), ('"another"', 200)):
        answer = await ana.get(url, headers={"Range": "bytes=0-1", "If-Range": condition})
        assert answer.status_code == status, condition


async def test_conditions_are_those_of_the_standard(ana: httpx.AsyncClient, brand: str) -> None:
    url = (await signed_url(ana, brand)).split("?")[0]
    first = await ana.get(url)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    past, future = "Thu, 01 Jan 2015 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for conditions, status in (
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": future}, 304),
        ({"If-Modified-Since": past}, 200),
        ({"If-Modified-Since": "no date"}, 200),
        ({"If-None-Match": '"another"', "If-Modified-Since": date}, 200),  # the tag alone counts
        ({"If-Match": tag}, 200),
        ({"If-Match": f"W/{tag}"}, 412),
        ({"If-Match": "*"}, 200),
        ({"If-Unmodified-Since": past}, 412),
        ({"If-Unmodified-Since": date}, 200),
        ({"Range": "bytes=0-1", "If-Range": f"W/{tag}"}, 200),
        ({"Range": "bytes=0-1", "If-Range": date}, 206),
        ({"Range": "bytes=0-1", "If-Range": past}, 200),
        ({"Range": "bytes=0-1", "If-None-Match": tag}, 304),
        ({"Range": "bytes=99-", "If-None-Match": tag}, 304),
        ({"Range": "BYTES=0-1"}, 206),
    ):
        assert (await ana.get(url, headers=conditions)).status_code == status, conditions
        head = await ana.head(url, headers=conditions)
        assert (head.status_code, head.content) == (200 if status == 206 else status, b""), conditions
    assert (await ana.head(url)).headers["content-length"] == str(len(PNG))


async def test_what_has_no_row_of_its_own_has_a_tag_too(api: Api, ana: httpx.AsyncClient, brand: str) -> None:
    key = f"brands/{brand}/thumbnail/a.png"
    await api.core.storage.put(key, PNG, "image/png")
    tag = (await ana.get(f"/files/{key}")).headers["etag"]
    assert (await ana.get(f"/files/{key}", headers={"If-None-Match": tag})).status_code == 304


async def test_a_redirect_names_no_host(api: Api, ana: httpx.AsyncClient) -> None:
    for path, to in (("/docs/", "/docs"), ("/api/v1/jobs/?limit=1", "/api/v1/jobs?limit=1"), ("/g/", "/g")):
        answer = await ana.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, to)


@pytest.mark.parametrize(
    "name", ["acme-logo-1.png", "Café ☕.png", 'a"b\r\nSet-Cookie: x=1', "../../etc/passwd", "漢" * 90 + ".png", " "]
)
async def test_a_link_that_saves_says_so_itself_and_names_one_file(
    api: Api, ana: httpx.AsyncClient, brand: str, name: str
) -> None:
    url = await signed_url(ana, brand)
    answer = await api.anonymous().get(url, params={**httpx.URL(url).params, "download": name})
    told = answer.headers["content-disposition"]
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert told.startswith('attachment; filename="') and told.isascii()
    saved = unquote(told.rpartition("''")[2])
    assert saved and "/" not in saved and ".." not in saved[:2]
    if "☕" in name or "漢" in name:
        assert saved == name
    assert (await api.anonymous().get(url)).headers["content-disposition"] == "inline"
