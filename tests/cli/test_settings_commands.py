"""`bmn config`, `bmn token`, `bmn db upgrade`: what they print, and what they never do."""

import json
from pathlib import Path

import httpx

from tests.kit.stack import Stack
from tests.kit.terminal import forked

CANARY = "sk-canary-0123456789abcdef"


def test_config_tells_value_and_origin_and_masks_secrets(home: Path) -> None:
    Path(".env").write_text("RESEND_MAX_RPS=7\n")
    env = {
        "BMN_HOME": str(home),
        "OPENAI_API_KEY": CANARY,
        "REDIS_URL": f"redis://:{CANARY}@10.0.0.1:6379/0",
        "PORT": "4000",
    }
    done = forked("config", "--json", env=env)
    document = json.loads(done.out)
    settings = {row["name"]: (row["value"], row["origin"]) for row in document["settings"]}
    assert settings["PORT"] == (4000, "environment")
    assert settings["RESEND_MAX_RPS"] == (7.0, ".env")
    assert settings["BFL_MAX_CONCURRENT"] == (20, "default")
    assert settings["OPENAI_API_KEY"][1] == "environment"
    assert settings["BFL_API_KEY"] == ("", "default")
    assert document["addresses"]["redis_address"] == "redis://[hidden]@10.0.0.1:6379/0"
    plain = forked("config", env=env)
    assert CANARY not in done.out + plain.out + plain.err
    only = forked("config", "show", "--set", env=env)
    assert "PORT" in only.out
    assert "BFL_MAX_CONCURRENT" not in only.out


def test_config_shows_every_kind_of_value(home: Path) -> None:
    """Also those that are no text once they are read."""
    env = {
        "BMN_HOME": str(home),
        "BMN_TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.1",
        "CORS_ORIGINS": "https://a.example,https://b.example",
        "BMN_CREDITS": "poster=3,flyer=2",
        "SUPABASE_JWT_ISSUER": "https://a.example/auth/v1,https://b.example/auth/v1",
        "GHL_CUSTOM_FIELDS": "wizard_step=abc",
        "BMN_ALERT_URLS": f"json://127.0.0.1:9/{CANARY}",
    }
    done = forked("config", "show", "--changed", "--json", env=env)
    assert done.code == 0, done.err
    values = {row["name"]: row["value"] for row in json.loads(done.out)["settings"]}
    assert values["BMN_TRUSTED_PROXIES"] == "10.0.0.0/8,192.0.2.1/32"
    assert values["BMN_CREDITS"] == "poster=3,flyer=2"
    assert env.keys() - {"BMN_HOME"} <= values.keys()
    assert CANARY not in done.out


def test_config_knows_the_addresses_of_a_running_serve(stack: Stack) -> None:
    document = json.loads(forked("config", "--json", env=stack.env).out)
    assert document["addresses"]["api_address"] == stack.api_url
    assert document["addresses"]["sandbox_address"] == stack.sandbox_url


def test_a_token_opens_the_local_server_and_an_admins_opens_more(stack: Stack) -> None:
    def ask(path: str, *arguments: str) -> int:
        token = forked("token", *arguments, env=stack.env).out.strip()
        return httpx.get(f"{stack.api_url}{path}", headers={"Authorization": f"Bearer {token}"}).status_code

    assert ask("/api/v1/credits") == 200
    assert ask("/api/v1/admin/queues") == 403
    assert ask("/api/v1/admin/queues", "--admin") == 200


def test_a_token_is_refused_where_supabase_signs_the_users_in(home: Path) -> None:
    done = forked("token", env={"BMN_HOME": str(home), "SUPABASE_URL": "https://example.supabase.co"})
    assert done.code == 4
    assert done.out == ""


def test_a_database_is_upgraded_once(home: Path) -> None:
    first = json.loads(forked("db", "upgrade", "--json", env={"BMN_HOME": str(home)}).out)
    assert first["applied"]
    again = json.loads(forked("db", "upgrade", "--json", env={"BMN_HOME": str(home)}).out)
    assert again["applied"] == []
    assert "was up to date" in forked("db", "upgrade", env={"BMN_HOME": str(home)}).out


def test_a_server_of_another_home_is_told_as_such(stack: Stack, home: Path) -> None:
    """Its development secret is another one, so what this home signs is refused."""
    refused = forked("jobs", "list", env={"BMN_HOME": str(home), "BMN_API_URL": stack.api_url})
    assert refused.code == 4
    told = " ".join(refused.err.split())
    assert f"another BMN_HOME, {stack.home} than yours ({home}): export BMN_HOME={stack.home}" in told
    own = forked("jobs", "list", env={"BMN_HOME": str(home), "BMN_API_URL": stack.api_url, "BMN_TOKEN": "old"})
    assert own.code == 4
    assert "BMN_TOKEN" in own.err
