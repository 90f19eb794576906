"""The Supabase Auth stand-in, with PyJWT as its client."""

from typing import Any

import httpx
import jwt
import pytest

from tests.kit.sandbox import RunningSandbox


def mint(sandbox: RunningSandbox, **order: Any) -> str:
    answer = httpx.post(f"{sandbox.url}/_sandbox/tokens", json=order)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["accessToken"]
    return token


def verify(sandbox: RunningSandbox, token: str) -> Any:
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{sandbox.url}/auth/v1/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(
        token, key, algorithms=["ES256"], audience="authenticated", issuer=f"{sandbox.url}/auth/v1",
        options={"require": ["exp", "sub", "aud", "iss"]},
    )  # fmt: skip


def user(sandbox: RunningSandbox, token: str, **headers: str) -> httpx.Response:
    sent = {"apikey": "sb_publishable_x", "Authorization": f"Bearer {token}", **headers}
    return httpx.get(f"{sandbox.url}/auth/v1/user", headers=sent)


def test_a_minted_token_verifies_and_says_what_was_asked(sandbox: RunningSandbox) -> None:
    claims = verify(sandbox, mint(sandbox, sub="user-1", email="bo@example.org", role="admin"))
    assert (claims["sub"], claims["email"]) == ("user-1", "bo@example.org")
    assert (claims["role"], claims["app_metadata"]["role"]) == ("authenticated", "admin")


def test_an_expired_token_is_one(sandbox: RunningSandbox) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        verify(sandbox, mint(sandbox, expiresIn=-60))


def test_any_claim_can_be_overridden(sandbox: RunningSandbox) -> None:
    assert verify(sandbox, mint(sandbox, claims={"role": "service_role"}))["role"] == "service_role"


def test_a_rotation_keeps_old_tokens_until_the_old_key_goes(sandbox: RunningSandbox) -> None:
    old = mint(sandbox)
    kid = httpx.post(f"{sandbox.url}/_sandbox/keys/rotate").json()["kid"]
    assert jwt.get_unverified_header(mint(sandbox))["kid"] == kid
    assert verify(sandbox, old)
    httpx.post(f"{sandbox.url}/_sandbox/keys/rotate?keep=false")
    with pytest.raises(KeyError):
        verify(sandbox, old)
    assert user(sandbox, old).status_code == 403


def test_keys_outlive_a_restart(sandbox: RunningSandbox) -> None:
    from bmn_sandbox.jwks import Keys
    from bmn_sandbox.state import Sandbox

    assert Keys(Sandbox(sandbox.state_dir)).verified(mint(sandbox, sub="user-1"))["sub"] == "user-1"


def test_the_user_is_told_from_the_token(sandbox: RunningSandbox) -> None:
    answer = user(sandbox, mint(sandbox, sub="user-1", email="bo@example.org", role="admin"))
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["app_metadata"]["role"]) == ("user-1", "admin")


def test_a_bad_token_is_refused_in_both_forms(sandbox: RunningSandbox) -> None:
    assert user(sandbox, "x.y.z").json()["error_code"] == "bad_jwt"
    newer = user(sandbox, mint(sandbox, expiresIn=-1), **{"X-Supabase-Api-Version": "2024-01-01"})
    assert (newer.status_code, newer.json()["code"]) == (403, "bad_jwt")


def test_keys_and_tokens_are_needed(sandbox: RunningSandbox) -> None:
    assert "No API key" in httpx.get(f"{sandbox.url}/auth/v1/user").json()["message"]
    answer = httpx.get(f"{sandbox.url}/auth/v1/user", headers={"apikey": "sb_publishable_x"})
    assert (answer.status_code, answer.json()["error_code"]) == (401, "no_authorization")
