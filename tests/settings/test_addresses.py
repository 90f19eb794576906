"""Addresses as people paste them: understood, or refused by the name of what is wrong, and never printed with a secret."""

import re
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from bmn.broker.connection import connect_sync
from bmn.errors import Misconfigured
from bmn.redaction import redact
from bmn.settings import load_settings
from bmn.settings.database_url import LIBPQ, database_url
from bmn.settings.redis_url import redis_url

PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20)
# What a person can paste without encoding it: everything but a percent sign that begins a code.
RAW = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="%"), min_size=1, max_size=20)


def refusal(**settings: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load_settings(**settings)
    assert caught.value.exit_code == 2
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h:6543/d?pgbouncer=true&connection_limit=1", "postgresql+psycopg://u:p@h:6543/d"),
        ("postgresql://u:p@h/d?schema=public", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d?schema=bmn", "postgresql+psycopg://u:p@h/d?options=-csearch_path%3Dbmn"),
        ("postgresql+asyncpg://u:p@h/d?ssl=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg_async://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+aiopg_sa://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("jdbc:postgresql://h:5432/d?user=u&password=p%23w&ssl=true", "postgresql+psycopg://u:p%23w@h:5432/d?sslmode=require"),
        ("JDBC:POSTGRESQL://h/d", "postgresql+psycopg://h/d"),
        ("postgis://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        (' "postgres://u:p@h/d"\n', "postgresql+psycopg://u:p@h/d"),
        ("DATABASE_URL='postgres://u:p@h/d'", "postgresql+psycopg://u:p@h/d"),
        ("psql 'postgresql://u:p@h/d?sslmode=require'", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgres://u:p#s/s?@h/d", "postgresql+psycopg://u:p%23s%2Fs%3F@h/d"),
        ("postgres://u:p@ss@h/d", "postgresql+psycopg://u:p%40ss@h/d"),
        ("postgres://u:p@ss?@h/d", "postgresql+psycopg://u:p%40ss%3F@h/d"),
        ("postgres://u:a#long/p@ss?&x@h/d", "postgresql+psycopg://u:a%23long%2Fp%40ss%3F%26x@h/d"),
        ("postgres://u:p%40ss@h/d", "postgresql+psycopg://u:p%40ss@h/d"),
        ("postgres://u:[x@h/d", "postgresql+psycopg://u:%5Bx@h/d"),
        ("postgres://u:p@[::1]:5433/d", "postgresql+psycopg://u:p@[::1]:5433/d"),
        ("postgres://u:p@a:1,b:2/d?targetServerType=primary",
         "postgresql+psycopg://u:p@/d?host=a%2Cb&target_session_attrs=read-write&port=1%2C2"),
        ("postgresql://u:p@/d?host=/cloudsql/x:y:z", "postgresql+psycopg://u:p@/d?host=%2Fcloudsql%2Fx%3Ay%3Az"),
        ("postgresql://%2Frun%2Fpg/d", "postgresql+psycopg:///d?host=%2Frun%2Fpg"),
        ("host=h port=6000 user=u password='p w' dbname=d", "postgresql+psycopg://u:p%20w@h:6000/d"),
        ("sqlite+aiosqlite:////var/x.db", "sqlite:////var/x.db"),
        ("file:/var/dev.db", "sqlite:////var/dev.db"),
    ],
)  # fmt: skip
def test_a_database_is_understood_in_the_spelling_of_other_ecosystems(text: str, meant: str) -> None:
    settings = load_settings(database_url=text)
    assert settings.database_address == meant
    make_url(meant)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("mysql://u:CANARY@h/d", "PostgreSQL or SQLite"),
        ("prisma://accelerate.example/?api_key=CANARY", "PostgreSQL or SQLite"),
        ("postgres://u:CANARY@h/d?sslmode=sure", "sslmode"),
        ("postgres://u:CANARY@h/d?statement_timeout=5", "statement_timeout"),
        ("postgres://u:CANARY@h/d?replication=database", "replication"),
        ("postgres://u:CANARY@h/d?sslrootcert=/nowhere.pem", "sslrootcert"),
        ("postgres://u:CANARY@h/d?connect_timeout=soon", "connect_timeout"),
        ("postgres://u:CANARY@h/d?client_encoding=latin1", "client_encoding"),
        ("postgres://u:CANARY@h:port/d", "cannot be read"),
        ("postgres://u:CANARY@h:99999/d", "99999"),
        ("postgres://u:CANARY@h/\nd", "line break"),
        ("postgres://u:[YOUR-PASSWORD]@h/d", "placeholder"),
        ("CANARY", "postgresql://"),
        ("sqlite://", "memory"),
        ("sqlite:///x.db?mode=ro", "mode"),
    ],
)
def test_what_cannot_be_a_database_is_refused_by_name(text: str, named: str) -> None:
    message = refusal(database_url=text)
    assert message.startswith("A setting cannot be used. DATABASE_URL: ")
    assert named in message
    assert "CANARY" not in message


def test_the_parameters_are_those_of_the_library() -> None:
    ours_to_decide = {"host", "port", "dbname", "user", "password", "client_encoding", "replication"}
    there = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    assert there - ours_to_decide <= LIBPQ


def test_a_relative_file_is_one_place_for_all_processes(home: Path) -> None:
    assert load_settings(database_url="sqlite:///x.db").database_address == f"sqlite:///{Path.cwd() / 'x.db'}"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("redis://h", "redis://h:6379/0"),
        ("redis://:p@h:1/2", "redis://:p@h:1/2"),
        ("rediss://default:p#s@h:6380", "rediss://default:p%23s@h:6380/0"),
        ("valkeys://h", "rediss://h:6379/0"),
        ("tcp://redis:6379", "redis://redis:6379/0"),
        ("redis:6379", "redis://redis:6379/0"),
        ("redis://h?family=0", "redis://h:6379/0"),
        ("redis://h?db=3&socket_timeout=1&decode_responses=true", "redis://h:6379/3"),
        ("redis://h?tls=true", "rediss://h:6379/0"),
        ("rediss://h/0?ssl_cert_reqs=CERT_NONE", "rediss://h:6379/0?ssl_cert_reqs=none"),
        ("redis-cli --tls -u redis://default:p@h:6380", "rediss://default:p@h:6380/0"),
        ('"redis://h"\r\n', "redis://h:6379/0"),
        ("/run/redis.sock", "unix:///run/redis.sock?db=0"),
        ("redis+socket:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("redis://[::1]:7000", "redis://[::1]:7000/0"),
        ("redis+sentinel://:p@a,b:1,[::1]/lead", "redis+sentinel://:p@a:26379,b:1,[::1]:26379/lead/0"),
        ("rediss+sentinel://a/lead/2?sentinel_password=q", "rediss+sentinel://a:26379/lead/2?sentinel_password=q"),
        ("redis-sentinel://a:1/my.lead?tls=true", "rediss+sentinel://a:1/my.lead/0"),
    ],
)
def test_a_redis_is_understood_in_the_spelling_of_other_ecosystems(text: str, meant: str) -> None:
    assert load_settings(redis_url=text).redis_address == meant
    with connect_sync(meant):
        pass


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("redis+sentinel://:CANARY@h:26379", "sentinels"),
        ("redis+sentinel://:CANARY@h:26379/0", "sentinels"),
        ("redis+sentinel://:CANARY@h:26379/lead/first", "database"),
        ("redis://:CANARY@a:1,b:2/0", "several hosts"),
        ("redis+cluster://h", "cluster"),
        ("https://eu1-x.upstash.io", "REST"),
        ("h:6380,password=CANARY,ssl=True", "list of hosts"),
        ("redis://:CANARY@h/master", "database"),
        ("redis://h?retries=5", "retries"),
        ("redis://h?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
        ("amqp://u:CANARY@h", "redis://"),
        ("unix://run/redis.sock", "slash"),
        ("redis://:${REDIS_PASSWORD}@h", "placeholder"),
    ],
)
def test_what_cannot_be_a_redis_is_refused_by_name(text: str, named: str) -> None:
    message = refusal(redis_url=text)
    assert message.startswith("A setting cannot be used. REDIS_URL: ")
    assert named in message
    assert "CANARY" not in message


@given(password=PASSWORDS)
def test_any_password_in_its_own_variable_reaches_redis_whole(password: str) -> None:
    for url in (
        load_settings(redis_host="h", redis_password=password).redis_address,
        load_settings(redis_url="redis://h", redis_password=password).redis_address,
    ):
        assert redis.connection.parse_url(url).get("password") == (
            password if re.sub(r"[\s\u200b\ufeff]", "", password) else None
        )


@given(password=PASSWORDS)
def test_any_encoded_password_reaches_database_and_redis_whole(password: str) -> None:
    encoded = quote(password, safe="")
    if re.fullmatch(r"\[.*\]|<.*>|\$.*|\{\{.*|\*+|•+", password):
        return
    assert make_url(database_url(f"postgres://u:{encoded}@h/d")).password == password
    assert redis.connection.parse_url(redis_url(f"redis://u:{encoded}@h/1"))["password"] == password


@given(password=RAW)
def test_a_password_that_nobody_encoded_is_taken_as_it_is_or_refused_without_showing_it(password: str) -> None:
    for read, url in ((database_url, "postgres://u:{}@h:5432/d"), (redis_url, "redis://u:{}@h:5432/0")):
        try:
            address = read(url.format(password))
        except ValueError as refused:
            assert len(password) < 4 or password not in str(refused)
        else:
            known = redis.connection.parse_url(address)["password"] if read is redis_url else make_url(address).password
            assert known == password
            shown = redact(address)
            assert (
                quote(password, safe="") not in shown.replace("postgresql+psycopg", "").replace("redis", "")
                or len(password) < 3
            )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("https://app.example.com/", ["https://app.example.com"]),
        ("https://App.Example.com/path, http://LOCALHOST:5173", ["https://app.example.com", "http://localhost:5173"]),
        ("https://a.example:443 http://b.example:80\nhttps://c.example:8443", ["https://a.example", "http://b.example", "https://c.example:8443"]),
        ('["https://a.example", "https://b.example/"]', ["https://a.example", "https://b.example"]),
        ("'https://a.example','https://a.example'", ["https://a.example"]),
        ("https://bücher.example", ["https://xn--bcher-kva.example"]),
        ("*", ["*"]),
        (" ", ["http://localhost:5173", "http://localhost:3000"]),
    ],
)  # fmt: skip
def test_origins_are_what_a_browser_sends(text: str, meant: list[str]) -> None:
    assert load_settings(cors_origins=text).origins == meant


@pytest.mark.parametrize(
    "text", ["app.example.com", "localhost:5173", "https://*.example.com", "ftp://x", "[x", "https://u:p@x"]
)
def test_what_no_browser_sends_is_refused(text: str) -> None:
    assert "CORS_ORIGINS" in refusal(cors_origins=text)


@pytest.mark.parametrize(
    ("setting", "text", "meant"),
    [
        ("public_url", "https://Brand.example/", "https://brand.example"),
        ("public_url", "https://brand.example:443", "https://brand.example"),
        ("public_url", "http://brand.example:8080", "http://brand.example:8080"),
        ("bmn_api_url", "localhost:3000", "http://localhost:3000"),
        ("bmn_api_url", "http://127.0.0.1:3000/api/v1/", "http://127.0.0.1:3000"),
        ("supabase_url", "https://abc.supabase.co/rest/v1/", "https://abc.supabase.co"),
        (
            "supabase_url",
            "https://supabase.com/dashboard/project/abcdefghijklmnopqrst",
            "https://abcdefghijklmnopqrst.supabase.co",
        ),
        ("openai_base_url", "https://api.openai.com/", "https://api.openai.com/v1"),
        ("anthropic_base_url", "https://api.anthropic.com/v1", "https://api.anthropic.com"),
        ("bfl_base_url", '"https://api.bfl.ai/v1/"', "https://api.bfl.ai"),
        ("google_gemini_base_url", "https://g.example/v1beta", "https://g.example"),
    ],
)
def test_an_address_has_one_spelling(setting: str, text: str, meant: str) -> None:
    assert getattr(load_settings(**{setting: text}), setting) == meant


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("public_url", "https://brand.example/bmn"),
        ("public_url", "brand.example"),
        ("public_url", "https://brand.example?x=1"),
        ("public_url", "https://me:CANARY@brand.example"),
        ("bmn_api_url", "brand.example"),
        ("bmn_api_url", "unix:///x"),
        ("supabase_url", "postgresql://postgres:CANARY@db.abc.supabase.co:5432/postgres"),
        ("supabase_url", "https://<project>.supabase.co"),
        ("bfl_base_url", "https://api.bfl.ai:port"),
        ("s3_endpoint", "account.r2.cloudflarestorage.com"),
        ("supabase_jwks_url", "https://x .example"),
        ("otel_exporter_otlp_endpoint", "localhost:4318"),
        ("sentry_dsn", "https://sentry.example/CANARY"),
        ("redis_host", "h:6380"),
        ("bmn_host", "http://127.0.0.1"),
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_variable(setting: str, text: str) -> None:
    message = refusal(**{setting: text})
    assert setting.upper() in message
    assert "CANARY" not in message
