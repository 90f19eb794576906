"""What the sandbox has taken in: everybody reads their own mails, admins all of them; on a server with a real project only
its admins read the prompts.
"""

import time
from typing import Any

import httpx
import jwt

from tests.kit.api import Starter
from tests.kit.people import ADMIN, ANA

SECRET = "a-shared-secret-of-a-project-of-ours-0123456789"
PROJECT = "http://127.0.0.1:9"


def token(user_id: str, role: str, email: str | None = None) -> str:
    claims = {
        "iss": f"{PROJECT}/auth/v1",
        "sub": user_id,
        "aud": "authenticated",
        "exp": int(time.time()) + 600,
        "role": "authenticated",
        "email": email or f"{role}@example.com",
        "app_metadata": {"role": role},
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def test_a_user_of_a_project_reads_no_prompts_of_others(start: Starter) -> None:
    api = await start(supabase_url=PROJECT, supabase_jwt_secret=SECRET, bmn_sandbox_url="http://127.0.0.1:9")
    anybody = api.anonymous()
    user = await anybody.get("/dev/sandbox", headers={"Authorization": f"Bearer {token(ANA, 'user')}"})
    assert user.status_code == 403
    for path in ("/dev/mail", "/dev/mail/x", "/dev/mail/x/body", "/dev/sandbox"):
        admin = await anybody.get(path, headers={"Authorization": f"Bearer {token(ADMIN, 'admin')}"})
        assert admin.status_code == 503, path  # allowed, and the sandbox is not there


async def test_everybody_reads_their_own_mails_and_admins_all(start: Starter, sandbox_server: str) -> None:
    async with httpx.AsyncClient(base_url=sandbox_server, headers={"Authorization": "Bearer sandbox"}) as client:
        for name in ("Ana", "Ben"):
            mail = {"from": "a@example.org", "to": [f"{name} <{name}@Example.com>"], "subject": f"Hello {name}"}
            (await client.post("/emails", json={**mail, "html": f"<p>{name}'s words</p>"})).raise_for_status()
        ids = {each["subject"]: each["id"] for each in (await client.get("/_sandbox/mails")).json()}
    ours: dict[str, Any] = {}
    for more in (ours, {"supabase_url": PROJECT, "supabase_jwt_secret": SECRET}):
        api = await start(bmn_sandbox_url=sandbox_server, **more)
        ana, staff = [
            api.with_token(token(who, role, f"{name}@example.com"))
            if more
            else api.as_user(who, role, email=f"{name}@example.com")
            for who, role, name in ((ANA, "user", "ana"), (ADMIN, "admin", "staff"))
        ]
        listed = (await ana.get("/dev/mail")).text
        assert "Hello Ana" in listed and "Hello Ben" not in listed and "to ana@example.com" in listed
        assert "Hello Ben" in (await staff.get("/dev/mail")).text
        for path in (f"/dev/mail/{ids['Hello Ben']}", f"/dev/mail/{ids['Hello Ben']}/body"):
            refused = await ana.get(path)
            assert refused.status_code == 404 and "Ben" not in refused.text, path
            assert "Ben" in (await staff.get(path)).text, path
        assert "Ana's words" in (await ana.get(f"/dev/mail/{ids['Hello Ana']}/body")).text
