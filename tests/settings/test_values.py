"""Keys, figures and words as people paste them, and the files they paste them into."""

from pathlib import Path

import pytest

from bmn.errors import Misconfigured
from bmn.settings import load_settings, origin_of
from tests.kit.terminal import forked

KEY = "bfl_0123456789abcdefABCDEF"
KEYS = ("bfl_api_key", "openai_api_key", "anthropic_api_key", "google_api_key", "resend_api_key", "ghl_private_token")
KEYS += ("bmn_token", "supabase_secret_key", "s3_secret_access_key")


@pytest.mark.parametrize("setting", KEYS)
@pytest.mark.parametrize(
    "text",
    [
        f"{KEY}\n", f" {KEY}\t", f'"{KEY}"', f"'{KEY}'\r\n", f"Bearer {KEY}", f"bearer  {KEY}", f"“{KEY}”",
        f"\ufeff{KEY}", f"{KEY}\u200b", f"bfl_\u200b{KEY[4:]}", f"{KEY}\u00a0", f"Authorization: Bearer {KEY}",
    ],
)  # fmt: skip
def test_what_surrounds_a_key_is_taken_off(setting: str, text: str) -> None:
    assert getattr(load_settings(**{setting: text}), setting).get_secret_value() == KEY


@pytest.mark.parametrize("setting", KEYS)
@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"{KEY} {KEY}", "a space"), (f"{KEY}\n{KEY}", "a line break"), (f"{KEY}–x", "EN DASH"), (f"{KEY}é", "U+00E9"),
        (f"{KEY}\0", "U+0000"), ("<your key>", "space"), ("your-api-key-here", "placeholder"), ("sk-...", "placeholder"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_one_is_refused_by_name_and_not_shown(setting: str, text: str, what: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings(**{setting: text})
    assert setting.upper() in refused.value.message
    assert what in refused.value.message
    assert KEY not in refused.value.message


def test_a_pasted_assignment_is_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFL_API_KEY", f'export BFL_API_KEY="{KEY}"')
    assert load_settings().bfl_api_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        ("bmn_grace_seconds", "90s", 90.0),
        ("bmn_grace_seconds", "2m", 120.0),
        ("bmn_redis_down_seconds", "500ms", 0.5),
        ("bmn_grace_seconds", "1.5 hours", 5400.0),
        ("bmn_max_body_bytes", "2MB", 2_000_000),
        ("bmn_max_body_bytes", "1MiB", 1_048_576),
        ("bmn_max_body_bytes", "1_000", 1000),
        ("bmn_worker_memory_mb", "2g", 2048),
        ("bmn_worker_memory_mb", "512MB", 512),
        ("redis_port", "tcp://10.0.0.11:6380", 6380),
        ("port", ' "4000" ', 4000),
        ("bmn_log_level", "WARN", "warning"),
        ("bmn_env", "Prod", "production"),
        ("bmn_env", "test", "development"),
        ("storage_backend", "R2", "s3"),
        ("storage_backend", "local", "local"),
        ("bmn_host", "*", "0.0.0.0"),
        ("bmn_host", "[::1]", "::1"),
        ("from_email", "Brand Me Now <hello@brand.example>", "Brand Me Now <hello@brand.example>"),
        ("bfl_model", "", "flux-2-pro"),
        ("bfl_model", "  ", "flux-2-pro"),
        ("port", "", 3000),
    ],
)
def test_a_value_is_understood_as_it_was_meant(setting: str, text: str, value: object) -> None:
    assert getattr(load_settings(**{setting: text}), setting) == value


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("bmn_grace_seconds", "soon"), ("bmn_grace_seconds", "-1"), ("bmn_grace_seconds", "inf"), ("agent_max_usd", "inf"),
        ("agent_max_usd", "nan"), ("agent_max_usd", "2,5"), ("bmn_max_body_bytes", "1TBx"), ("port", "http"),
        ("port", "70000"),
        ("bmn_env", "staging"), ("bmn_log_level", "loud"), ("from_email", "nobody"), ("from_email", "a@b.c\nBcc: x@y.z"),
        ("bfl_model", "../admin"), ("bfl_model", "flux 2"), ("price_table", "/nowhere.json"), ("ghl_custom_fields", "step"),
        ("bmn_lease_seconds", "2"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_meant_is_refused_by_name(setting: str, text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings(**{setting: text})
    assert setting.upper() in refused.value.message


def test_the_variable_that_was_read_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BMN_ENV")
    monkeypatch.setenv("NODE_ENV", "staging")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", " ")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "a b")
    with pytest.raises(Misconfigured) as refused:
        load_settings()
    assert "NODE_ENV: " in refused.value.message
    assert "SUPABASE_SERVICE_ROLE_KEY: " in refused.value.message


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
    ],
    ids=["plain", "crlf", "bom", "utf16"],
)
def test_an_env_file_is_read_as_editors_write_it(home: Path, encode: object) -> None:
    text = (
        "# Café\nBFL_API_KEY='bfl_0123456789'  # ours\nexport PORT=4001\n\nREDIS_PASSWORD=p#ss\n"
        'FROM_EMAIL="A B <a@b.example>"\n$ a line of somebody else\n'
    )
    Path(".env").write_bytes(encode(text))  # type: ignore[operator]
    settings = load_settings()
    assert settings.bfl_api_key.get_secret_value() == "bfl_0123456789"
    assert (settings.port, settings.redis_password.get_secret_value()) == (4001, "p#ss")
    assert settings.from_email == "A B <a@b.example>"
    assert origin_of("port") == ".env"
    assert origin_of("bfl_model") == "default"


@pytest.mark.parametrize("data", [b"PORT=\xff\xfe4000", b"PORT: 4000\n", b"X=1\nPORT 4000"])
def test_an_env_file_that_cannot_be_read_is_named_with_its_line(home: Path, data: bytes) -> None:
    Path(".env").write_bytes(data)
    done = forked("config", env={"BMN_HOME": str(home)})
    assert done.code == 2
    assert ".env" in done.err
    assert "Traceback" not in done.err


def test_the_environment_wins_and_a_blank_variable_does_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=4001\nBFL_MODEL=flux-x\n")
    monkeypatch.setenv("PORT", "4002")
    monkeypatch.setenv("BFL_MODEL", "")
    settings = load_settings()
    assert (settings.port, settings.bfl_model) == (4002, "flux-x")


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("BMN_API_URL=https://elsewhere.example", "BMN_TOKEN"),
        ("BFL_BASE_URL=https://elsewhere.example", "BFL_API_KEY"),
        ("OPENAI_BASE_URL=https://elsewhere.example/v1", "OPENAI_API_KEY"),
        ("GOOGLE_GEMINI_BASE_URL=https://elsewhere.example", "GOOGLE_API_KEY"),
        ("ANTHROPIC_BASE_URL=https://elsewhere.example", "ANTHROPIC_API_KEY"),
        ("RESEND_API_URL=https://elsewhere.example", "RESEND_API_KEY"),
        ("GHL_BASE_URL=https://elsewhere.example", "GHL_PRIVATE_TOKEN"),
        ("SUPABASE_URL=https://elsewhere.example", "SUPABASE_SERVICE_ROLE_KEY"),
        ("S3_ENDPOINT=https://elsewhere.example", "S3_SECRET_ACCESS_KEY"),
        ("REDIS_HOST=elsewhere.example", "REDIS_PASSWORD"),
        ("REDIS_URL=rediss://elsewhere.example:6379/0", "REDIS_PASSWORD"),
        ("DATABASE_URL=postgresql://me@localhost,elsewhere.example/x", "PGPASSWORD"),
        ("DATABASE_URL=postgresql://me@/x?host=elsewhere.example", "PGPASSWORD"),
    ],
)
def test_a_folder_cannot_name_where_a_secret_of_the_environment_goes(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str, secret: str
) -> None:
    Path(".env").write_text(f"{address}\n")
    load_settings()
    monkeypatch.setenv(secret, "0123456789abcdef")
    variable, _, where = address.partition("=")
    with pytest.raises(Misconfigured, match=rf"{variable} stands in \.env of this folder, and {secret}"):
        load_settings()
    monkeypatch.setenv(variable, where)
    load_settings()  # whoever sets the address in the same place means it
    monkeypatch.delenv(variable)
    monkeypatch.delenv(secret)
    Path(".env").write_text(f"{address}\n{secret}=0123456789abcdef\n")
    load_settings()


def test_a_folder_may_name_a_server_of_this_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("BMN_API_URL=http://127.0.0.1:4000\nREDIS_HOST=localhost\n")
    monkeypatch.setenv("BMN_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("REDIS_PASSWORD", "0123456789abcdef")
    assert load_settings().bmn_api_url == "http://127.0.0.1:4000"


def test_an_env_file_counts_in_development_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=4001\n")
    monkeypatch.setenv("BMN_ENV", "Production")
    assert load_settings().port == 3000


def test_no_command_prints_a_password_of_an_address(home: Path) -> None:
    canary = "p#ss/w?rd@CANARY"
    env = {
        "BMN_HOME": str(home),
        "REDIS_URL": f"redis://:{canary}@127.0.0.1:1/0",
        "DATABASE_URL": f"postgresql://me:{canary}@127.0.0.1:1/x",
    }
    for command in (
        ("config",),
        ("config", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("db", "upgrade"),
        ("serve",),
    ):
        done = forked(*command, env=env)
        assert "CANARY" not in done.out + done.err, command
        assert "p%23ss" not in done.out + done.err, command
        assert "p#ss" not in done.out + done.err, command
        assert "defect" not in done.err
