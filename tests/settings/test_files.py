"""Files that settings name: what cannot be used is refused at the start, by the variable's name."""

import asyncio
import datetime
import ipaddress
import json
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bmn import outgoing
from bmn.errors import Misconfigured, NotAllowed
from bmn.identity.development import mint_development_token
from bmn.identity.home_secrets import DEVELOPMENT, LINKS, home_secret
from bmn.providers import vendor_http
from bmn.settings import load_settings
from bmn.settings.authorities import authorities
from tests.kit.outgoing import CLIENTS, visit
from tests.kit.terminal import bmn, forked
from tests.kit.wire import Wire, answer

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
POSTGRESQL, REDIS = "postgresql://u:CANARY@h/d", "rediss://:CANARY@h:6379/0"
# How each is named, with FILE where the file goes, and what is wrong with which file.
NAMED = {
    "PRICE_TABLE": ("PRICE_TABLE", {}),
    "SSL_CERT_FILE": ("SSL_CERT_FILE", {}),
    "REQUESTS_CA_BUNDLE": ("REQUESTS_CA_BUNDLE", {}),
    "CURL_CA_BUNDLE": ("CURL_CA_BUNDLE", {}),
    "SSL_CERT_DIR": ("SSL_CERT_DIR", {}),
    "sslrootcert": ("DATABASE_URL", {"DATABASE_URL": f"{POSTGRESQL}?sslmode=verify-full&sslrootcert=FILE"}),
    "sslcert": ("DATABASE_URL", {"DATABASE_URL": f"{POSTGRESQL}?sslcert=FILE"}),
    "ssl_ca_certs": ("REDIS_URL", {"REDIS_URL": f"{REDIS}?ssl_ca_certs=FILE"}),
    "ssl_certfile": ("REDIS_URL", {"REDIS_URL": f"{REDIS}?ssl_certfile=FILE"}),
    "PGSSLROOTCERT": ("PGSSLROOTCERT", {"DATABASE_URL": POSTGRESQL}),
    "OTEL_EXPORTER_OTLP_CERTIFICATE": (
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://traces.example"},
    ),
}
UNUSABLE = {
    "empty": b"",
    "blank": b"\n \n",
    "not text": b"\xff\xfe\x00\x80",
    "something else": b"hello",
    "a folder": None,
    "not there": None,
}
AS_ANYBODY = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"] if os.geteuid() == 0 else []


@pytest.fixture(autouse=True)
def none_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    for made in (outgoing.tls, vendor_http.tls, authorities):
        made.cache_clear()
    yield
    for made in (outgoing.tls, vendor_http.tls, authorities):
        made.cache_clear()


@pytest.mark.parametrize("what", UNUSABLE)
@pytest.mark.parametrize("name", NAMED)
def test_a_file_that_cannot_be_used_is_refused_by_the_name_of_its_variable(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    path = tmp_path / "named"
    if (data := UNUSABLE[what]) is not None:
        path.write_bytes(data)
    elif what == "a folder":
        path.mkdir()
    variable, environment = NAMED[name]
    for other, text in ({name: "FILE"} | environment if name == variable else environment).items():
        monkeypatch.setenv(other, text.replace("FILE", str(path)))
    with pytest.raises(Misconfigured) as refused:
        load_settings()
    assert f"{variable}: " in refused.value.message
    assert name in refused.value.message
    assert str(path) in refused.value.message
    assert "CANARY" not in refused.value.message


@pytest.mark.skipif(bool(AS_ANYBODY) and not shutil.which("setpriv"), reason="root reads everything")
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "PRICE_TABLE", ".env", DEVELOPMENT, LINKS])
def test_a_file_that_may_not_be_read_ends_serve_by_its_name(home: Path, tmp_path: Path, name: str) -> None:
    path = {".env": Path(".env").absolute(), DEVELOPMENT: home / name, LINKS: home / name}.get(name, tmp_path / "x")
    path.write_text("{}")
    path.chmod(0)
    env = {"BMN_HOME": str(home)} | ({name: str(path)} if name.isupper() else {})
    done = bmn("serve", "--port", "0", env=env, under=AS_ANYBODY)
    assert done.code == 2
    assert name in done.err
    assert "Permission denied" in done.err


@pytest.mark.parametrize("name", [DEVELOPMENT, LINKS])
@pytest.mark.parametrize("data", [b"", b"short", b"\xff" * 64, None], ids=["empty", "cut", "not text", "a folder"])
def test_a_secret_that_cannot_be_one_is_named_and_signs_nothing(home: Path, name: str, data: bytes | None) -> None:
    home.mkdir(exist_ok=True)
    if data is None:
        (home / name).mkdir()
    else:
        (home / name).write_bytes(data)
    with pytest.raises(Misconfigured, match=name) as refused:
        home_secret(load_settings(), name)
    assert "emove it" in str(refused.value.hint)
    found = {check["name"]: check for check in json.loads(forked("doctor", "--json").out)["checks"]}
    assert found["Files"]["state"] == "failed"
    assert name in found["Files"]["message"]


def test_a_log_of_keys_that_cannot_be_written_is_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys.log"))
    with pytest.raises(Misconfigured, match=r"SSLKEYLOGFILE: .* cannot be written"):
        load_settings()


def test_a_folder_called_env_is_refused_unless_it_is_a_virtual_environment(home: Path) -> None:
    Path(".env").mkdir()
    with pytest.raises(Misconfigured, match=r"\.env cannot be read: Is a directory"):
        load_settings()
    Path(".env/pyvenv.cfg").touch()
    assert load_settings().port == 3000


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co"),
        ("SUPABASE_JWKS_URL", "https://keys.example/jwks.json"),
        ("SUPABASE_JWT_SECRET", "CANARY-CANARY-CANARY-CANARY-CANARY-"),
        ("NODE_ENV", "production"),
    ],
)
def test_who_wants_a_token_is_told_which_setting_is_in_the_way(
    home: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.delenv("BMN_ENV")
    monkeypatch.setenv(setting, value)
    with pytest.raises(NotAllowed, match=f"{setting} is ") as refused:
        mint_development_token(load_settings())
    assert "CANARY" not in refused.value.message
    assert "BMN_TOKEN" in str(refused.value.hint) or setting == "NODE_ENV"


def test_what_stands_in_an_env_file_is_named_with_it(home: Path) -> None:
    Path(".env").write_text("SUPABASE_URL=https://abcdefghijklmnopqrst.supabase.co\n")
    done = forked("token", env={"BMN_HOME": str(home)})
    assert done.code == 4
    assert "SUPABASE_URL (.env) is set" in done.err


PrivateKey = ec.EllipticCurvePrivateKey


def _signed(subject: str, key: PrivateKey, issuer: str, by: PrivateKey, *, ca: bool) -> bytes:
    """A certificate as PEM; one that is no authority's is 127.0.0.1's."""
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = x509.CertificateBuilder(
        names[1], names[0], key.public_key(), x509.random_serial_number(), now - day, now + day
    )
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return made.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Wire, Path]]:
    """A server that only an authority of its own vouches for, and the file of that one."""
    theirs, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, server_file = tmp_path / "ca.pem", tmp_path / "server.pem"
    authority.write_bytes(_signed("us", theirs, "us", theirs, ca=True))
    plain = serialization.NoEncryption()
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    server_file.write_bytes(key + _signed("here", own, "us", theirs, ca=False))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server_file)
    made = Wire(answers=[answer(b"{}", 404)])
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0, ssl=context)
    made.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made, authority
    server.close()


async def _vendor(url: str) -> None:
    async with vendor_http.open_client(base_url=url) as client:
        await client.get("/")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("client", [*CLIENTS, "vendor"])
async def test_every_client_believes_the_certificates_that_the_environment_names(
    home: Path, secure: tuple[Wire, Path], monkeypatch: pytest.MonkeyPatch, client: str, variable: str
) -> None:
    wire, authority = secure
    monkeypatch.setenv(variable, str(authority))
    load_settings()
    await (_vendor(wire.url) if client == "vendor" else visit(client, wire.url))
    assert wire.seen


def test_a_good_bundle_and_a_place_below_the_own_folder_are_taken(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(certifi.where(), tmp_path / "ca.pem")
    settings = load_settings(
        database_url="postgresql://u@h/d?sslrootcert=~/ca.pem", redis_url="rediss://h/0?ssl_ca_certs=~/ca.pem"
    )
    assert f"{tmp_path}/ca.pem".replace("/", "%2F") in settings.database_address
    assert f"{tmp_path}/ca.pem".replace("/", "%2F") in settings.redis_address
