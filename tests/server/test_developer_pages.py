"""What the sandbox has taken in is everybody's: on a server with a real project only its admins read it."""

import time

import jwt

from tests.kit.api import Starter
from tests.kit.people import ADMIN, ANA

SECRET = "a-shared-secret-of-a-project-of-ours-0123456789"
PROJECT = "http://127.0.0.1:9"


def token(user_id: str, role: str) -> str:
    claims = {
        "iss": f"{PROJECT}/auth/v1",
        "sub": user_id,
        "aud": "authenticated",
        "exp": int(time.time()) + 600,
        "role": "authenticated",
        "email": f"{role}@example.com",
        "app_metadata": {"role": role},
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def test_a_user_of_a_project_reads_no_mails_and_prompts_of_others(start: Starter) -> None:
    api = await start(supabase_url=PROJECT, supabase_jwt_secret=SECRET, bmn_sandbox_url="http://127.0.0.1:9")
    for path in ("/dev/mail", "/dev/mail/x", "/dev/mail/x/body", "/dev/sandbox"):
        anybody = api.anonymous()
        user = await anybody.get(path, headers={"Authorization": f"Bearer {token(ANA, 'user')}"})
        assert user.status_code == 403, path
        admin = await anybody.get(path, headers={"Authorization": f"Bearer {token(ADMIN, 'admin')}"})
        assert admin.status_code == 503, path  # allowed, and the sandbox is not there
