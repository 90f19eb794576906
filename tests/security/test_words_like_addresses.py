"""What a user writes may look like an address: it breaks nothing, and it opens nobody else's file."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import connect

from bmn.db.library import asset_store
from bmn.db.records import NewAsset
from bmn.identity.development import mint_development_token
from tests.security.target import Target

BROKEN = ("http://[", "http://a[b]/", "https://℀.example/", "//[")


def _picture_of(target: Target, owner: httpx.Client) -> str:
    """The durable address of a stored picture; who has seen a link that has ended knows it."""
    brand = target.brand(owner)
    storage, key = target.app.resources.core.storage, f"brands/{brand}/logo/{uuid4().hex}.png"
    target.wait(storage.put(key, b"\x89PNG\r\n\x1a\nprivate", "image/png"))
    fields = NewAsset(
        id=str(uuid4()),
        brand_id=brand,
        asset_type="logo",
        url=storage.url_for(key),
        storage_key=key,
        sha256="0" * 64,
        mime_type="image/png",
        size_bytes=15,
    )
    target.write(lambda conn: asset_store.add(conn, fields))
    return fields.url


def _told(target: Target, user_id: str, brand: str, words: str) -> Any:
    """What a dashboard hears when a brand's vision becomes these words."""
    address = f"{target.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    with connect(address, proxy=None) as socket:
        socket.recv(5)
        socket.send(f"40/dashboard,{json.dumps({'token': mint_development_token(target.settings, user_id)})}")
        assert str(socket.recv(5)).startswith('40/dashboard,{"sid"')
        user = target.client(user_id)
        assert user.patch(f"/api/v1/brands/{brand}", json={"vision": words}).status_code == 200
        message = str(socket.recv(10))
    name, data = json.loads(message.partition(",")[2])[:2]
    assert name == "brand:updated"
    return data["value"]


@pytest.mark.parametrize("words", BROKEN)
def test_words_that_are_almost_an_address_are_told_like_any_others(target: Target, words: str) -> None:
    user_id = str(uuid4())
    assert _told(target, user_id, target.brand(target.client(user_id)), words) == words


def test_somebody_elses_address_in_ones_own_words_is_not_signed(target: Target) -> None:
    address, mallory = _picture_of(target, target.client(str(uuid4()))), str(uuid4())
    told = _told(target, mallory, target.brand(target.client(mallory)), address)
    assert told == address
    with httpx.Client(trust_env=False) as stranger:
        assert stranger.get(told).status_code == 401


@pytest.mark.parametrize("url", BROKEN)
def test_what_is_no_address_is_refused_where_one_is_asked_for(target: Target, url: str) -> None:
    user = target.client(str(uuid4()))
    body = {"brandId": target.brand(user), "count": 1, "previousLogoUrl": url}
    assert user.post("/api/v1/generation/logos", json=body).status_code == 400


@pytest.mark.parametrize("words", BROKEN)
def test_a_job_is_brought_back_with_whatever_words(target: Target, words: str) -> None:
    user = target.client(str(uuid4()))
    job_id = target.logos(user, 1)
    user.post(f"/api/v1/jobs/{job_id}/cancel")
    again = user.post(f"/api/v1/jobs/{job_id}/retry", json={"changes": {"brandVision": words}})
    assert again.status_code == 202
    user.post(f"/api/v1/jobs/{again.json()['jobId']}/cancel")


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u00ad", "\u2060", " ", "\t", "\n"])
def test_an_address_with_something_unseen_in_it_is_still_somebody_elses(target: Target, unseen: str) -> None:
    address = _picture_of(target, target.client(str(uuid4())))
    user = target.client(str(uuid4()))
    job_id = target.logos(user, 1)
    user.post(f"/api/v1/jobs/{job_id}/cancel")
    for spelled in (unseen + address, address + unseen, address.replace("/files", f"/fi{unseen.strip()}les")):
        changes = {"isRefinement": True, "previousLogoUrl": spelled, "refinementNotes": "bolder"}
        assert user.post(f"/api/v1/jobs/{job_id}/retry", json={"changes": changes}).status_code == 404
