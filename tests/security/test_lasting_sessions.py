"""A browser's session ends after its day, and with it the role it began with."""

from uuid import uuid4

import httpx

from tests.security.target import Target


def test_a_session_cannot_be_made_to_last_by_signing_in_with_it(target: Target) -> None:
    admin = target.client(str(uuid4()), "admin")
    link = admin.post("/api/v1/session", json={"path": "/"}).json()["url"]
    with httpx.Client(base_url=target.url, trust_env=False, follow_redirects=True) as browser:
        assert browser.get(link).status_code == 200
        browser.headers["Sec-Fetch-Site"] = "same-origin"
        assert browser.get("/api/v1/credits").status_code == 200
        answer = browser.post("/api/v1/session", json={"path": "/"})
    assert answer.status_code == 403
    assert "url" not in answer.json()


def test_an_empty_authorization_makes_no_session_a_token(target: Target) -> None:
    link = target.client(str(uuid4())).post("/api/v1/session", json={"path": "/"}).json()["url"]
    with httpx.Client(base_url=target.url, trust_env=False, follow_redirects=True) as browser:
        assert browser.get(link).status_code == 200
        browser.headers["Sec-Fetch-Site"] = "same-origin"
        for shown in ("", "Bearer", "Basic", "bearer x y", "x"):
            answer = browser.post("/api/v1/session", json={"path": "/"}, headers={"Authorization": shown})
            assert answer.status_code == 401, shown
            assert browser.get("/api/v1/credits", headers={"Authorization": shown}).status_code == 401, shown
