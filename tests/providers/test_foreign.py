"""What stands in the environment for other programs reaches no vendor, and overrules no setting of ours."""

import asyncio
import json
from pathlib import Path

import pytest

from bmn.providers.base import OnCall
from bmn.server.app import create_app, create_server
from bmn.settings import ProviderAccess, Settings, load_settings
from bmn.settings.foreign import drop_foreign
from tests.kit.terminal import forked
from tests.kit.vendors import VENDORS
from tests.kit.wire import Wire, answer, failing

# What the vendors' libraries read, with a mark to look for on the wire.
THEIRS = {
    "OPENAI_ORG_ID": "org-MARK",
    "OPENAI_PROJECT_ID": "proj-MARK",
    "OPENAI_CUSTOM_HEADERS": "x-odd: MARK",
    "ANTHROPIC_AUTH_TOKEN": "MARK",
    "ANTHROPIC_CUSTOM_HEADERS": "x-odd: MARK",
    "GEMINI_API_KEY": "MARK",
    "GOOGLE_GENAI_USE_VERTEXAI": "true",
    "GOOGLE_CLOUD_PROJECT": "MARK",
}
OF_THE_STORE = {
    "AWS_ACCESS_KEY_ID": "MARK",
    "AWS_SESSION_TOKEN": "MARK",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_SERVER_SIDE_ENCRYPTION": "aws:kms",
    "AWS_SSE_KMS_KEY_ID": "MARK",
    "AWS_CHECKSUM_ALGORITHM": "sha256",
}


@pytest.mark.parametrize("vendor", ["openai", "gemini", "video", "anthropic"])
async def test_a_vendor_gets_our_key_and_nothing_of_the_environment(
    settings: Settings, on_call: OnCall, wire: Wire, monkeypatch: pytest.MonkeyPatch, vendor: str
) -> None:
    for name, value in THEIRS.items():
        monkeypatch.setenv(name, value)
    drop_foreign()
    wire.answers = [answer(b"{}", 500)]
    client = VENDORS[vendor].open(ProviderAccess(wire.url, "ours-0123", sandboxed=False), settings, on_call)
    await failing(VENDORS[vendor].ask(client))
    await client.close()
    (request,) = wire.seen  # and exactly one: no library of theirs tries again by itself
    assert b"ours-0123" in request
    assert b"MARK" not in request


def test_our_own_variables_stay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GOOGLE_API_KEY", "ANTHROPIC_MODEL"):
        monkeypatch.setenv(name, "ours-0123")
    drop_foreign()
    settings = load_settings()
    assert settings.anthropic_model == "ours-0123"
    assert settings.google_api_key.get_secret_value() == settings.openai_api_key.get_secret_value() == "ours-0123"


@pytest.mark.parametrize("value", ["auto", "4", ""])
def test_what_hosts_say_to_other_servers_is_not_heard(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", value)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    config = create_server(create_app(load_settings())).config
    assert (config.workers, config.proxy_headers, config.forwarded_allow_ips) == (1, False, [])


async def test_the_object_store_is_asked_as_our_settings_say(home: Path, wire: Wire) -> None:
    wire.answers = [answer(b"<Error><Code>AccessDenied</Code></Error>", 403)]
    ours = {"S3_ENDPOINT": wire.url, "S3_ACCESS_KEY_ID": "ours-0123", "S3_SECRET_ACCESS_KEY": "secret-0123"}
    env = {"BMN_HOME": str(home), "STORAGE_BACKEND": "s3", **ours, **OF_THE_STORE}
    done = await asyncio.to_thread(forked, "doctor", "--json", env=env)
    found = {check["name"]: check for check in json.loads(done.out)["checks"]}
    assert "AccessDenied" in found["Storage"]["message"]
    assert wire.seen
    for request in wire.seen:
        assert b"Credential=ours-0123/" in request
        assert b"MARK" not in request
