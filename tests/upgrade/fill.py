"""Brings a release into every state that an upgrade may find it in."""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.upgrade.release import OldServer, Release, until

BRAND = "Acme Coffee"
PAUSED, REASON = "bundle-composition", "budget reached"
UNSERVED = "video-generation"
SERVED = ",".join(
    ("brand-wizard", "logo-generation", "mockup-generation", "crm-sync", "email-send", "image-upload", "cleanup")
)
_BACKOFF = "40"  # times three seconds: still waiting for its next attempt when the old release stops


@dataclass(slots=True)
class Filled:
    """What there is to find again. jobs: id by what it was doing; the rest as the old release handed it out."""

    jobs: dict[str, str] = field(default_factory=dict)
    token: str = ""
    session: str = ""  # of the wizard
    shared: str = ""  # the path of a link to a job
    picture: str = ""  # the path of a signed picture
    cookies: dict[str, str] = field(default_factory=dict)
    submission: dict[str, Any] = field(default_factory=dict)  # body and answer under the idempotency key
    key: str = "an-idempotency-key-of-the-old-release"

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def forget_what_expires(self) -> None:
        """For a home that is kept: what is signed for hours only is of no use in a month."""
        self.token, self.shared, self.picture, self.cookies = "", "", "", {}

    @classmethod
    def load(cls, path: Path) -> "Filled":
        return cls(**json.loads(path.read_text()))


def fill_with_ended(old: Release) -> Filled:
    """Jobs that have ended in each way, and all that hangs on them. Nothing runs afterwards."""
    filled = Filled()
    with old.serving(BMN_BACKOFF_SCALE="0", BMN_SANDBOX_SPEED="0"):
        filled.token = old.token()
        filled.jobs["completed"] = old.submit("logos", "--brand", BRAND, "--count", "2")
        old.wait_for(filled.jobs["completed"], "completed")
        old.run("logos", "select", "1", "--brand", BRAND)
        filled.jobs["wizard"] = old.submit("wizard", "brand-identity", "--brand", BRAND)
        filled.session = str(old.wait_for(filled.jobs["wizard"], "completed")["result"]["sessionId"])
        for product in ("mug", "tote"):
            mockup = old.submit("mockups", "--brand", BRAND, "--product", product)
            old.wait_for(mockup, "completed")
        old.run("sandbox", "fail", "openai", "--status", "500")
        filled.jobs["dead"] = old.submit("mockups", "--brand", BRAND, "--product", "cap")
        old.wait_for(filled.jobs["dead"], "failed")
        old.run("sandbox", "clear")
        _sign_in_and_share(old, filled)
        old.wait_until_quiet()
    return filled


def _sign_in_and_share(old: Release, filled: Filled) -> None:
    with old.api(filled.token) as api:
        job = api.get(f"/api/v1/jobs/{filled.jobs['completed']}").raise_for_status().json()
        body = {"brandId": job["brandId"], "count": 1}
        answer = api.post("/api/v1/generation/logos", json=body, headers={"Idempotency-Key": filled.key})
        filled.submission = {"body": body, "answer": answer.raise_for_status().json()}
        filled.jobs["under a key"] = filled.submission["answer"]["jobId"]
        old.wait_for(filled.jobs["under a key"], "completed")
        share = api.post(f"/api/v1/jobs/{filled.jobs['completed']}/share", json={}).raise_for_status().json()
        filled.shared = _path(share["url"])
        filled.picture = _path(job["assets"][0]["url"])
        link = api.post("/api/v1/session", json={"path": "/"}).raise_for_status().json()["url"]
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(link).status_code == 303
        filled.cookies = dict(browser.cookies)


def _path(url: str) -> str:
    return httpx.URL(url).raw_path.decode()


def fill_with_unfinished(old: Release, filled: Filled) -> None:
    """Jobs that wait (for a worker, and in a paused queue), that are between attempts, and that run. `old` is serving."""
    old.run("queues", "pause", PAUSED, "--reason", REASON)
    filled.jobs["waiting for a worker"] = old.submit("video", "--brand", BRAND, "--product", "mug")
    filled.jobs["waiting in a paused queue"] = old.submit("bundle", "--brand", BRAND)
    old.run("sandbox", "fail", "openai", "--status", "500", "--times", "1")
    filled.jobs["retrying"] = old.submit("mockups", "--brand", BRAND, "--product", "sticker")
    old.wait_for(filled.jobs["retrying"], "retrying")
    filled.jobs["running"] = old.submit("logos", "--brand", BRAND, "--count", "4")
    old.wait_for(filled.jobs["running"], "active")
    with old.api() as api:
        until(lambda: _has_delivered(api, filled.jobs["running"]), "a first picture")


def _has_delivered(api: httpx.Client, job_id: str) -> bool:
    job = api.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
    assert job["state"] == "active", f"the job that has to run is {job['state']}"
    return bool(job["assets"])


def serving_for_unfinished(old: Release) -> AbstractContextManager[OldServer]:
    """A server that leaves one queue unserved, waits long between attempts, and draws no faster than a vendor."""
    return old.serving("--queues", SERVED, "--grace", "1", BMN_BACKOFF_SCALE=_BACKOFF, BMN_SANDBOX_SPEED="3")
