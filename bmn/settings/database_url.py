"""DATABASE_URL as the hosts and tools of this world write it, read once and turned into the form that our engine takes."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from bmn.numbers import is_whole
from bmn.settings import files
from bmn.settings.urls import ServiceUrl, check_params, read_url

_POSTGRES = re.compile(r"(jdbc:)?(postgres|postgresql|postgis|pgsql|cockroachdb|cockroach)(\+\w+)?")
_SQLITE = re.compile(r"sqlite3?(\+\w+)?")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSIONS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

# What libpq reads, without what we decide ourselves. A test compares this with the library.
_LIBPQ_NAMES = """
    application_name channel_binding connect_timeout fallback_application_name gssdelegation gssencmode gsslib
    hostaddr keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname load_balance_hosts
    max_protocol_version min_protocol_version oauth_client_id oauth_client_secret oauth_issuer oauth_scope options
    passfile require_auth requirepeer scram_client_key scram_server_key service ssl_max_protocol_version
    ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl sslcrldir sslkey sslkeylogfile sslmode
    sslnegotiation sslpassword sslrootcert sslsni target_session_attrs tcp_user_timeout
"""
LIBPQ = frozenset(_LIBPQ_NAMES.split())
# Read by Prisma, Supabase's and Vercel's integrations, Rails, Django, JDBC, asyncpg, node-postgres, Go, Doctrine; what
# they steer there (pools, prepared statements, encodings) is always right here.
_FOREIGN_NAMES = """
    pgbouncer connection_limit pool_timeout socket_timeout statement_cache_size prepared_statement_cache_size
    prepared_statement_name_func prepared_statements supa workaround pool pool_size max_overflow pool_recycle
    pool_pre_ping pool_mode pool_max_conns pool_min_conns pool_max_conn_lifetime conn_max_age conn_health_checks
    uselibpqcompat encoding charset reconnect prepareThreshold preparedStatementCacheQueries reWriteBatchedInserts
    stringtype tcpKeepAlive async_fallback default_query_exec_mode binary_parameters serverVersion server_version
    max_idle_connection_lifetime connection_lifetime pgbouncer_mode
"""
_FOREIGN = frozenset(_FOREIGN_NAMES.split())
_ALIASES = {
    "ssl": "sslmode",
    "sslaccept": "sslmode",
    "ssl_require": "sslmode",
    "currentSchema": "schema",
    "search_path": "schema",
    "ApplicationName": "application_name",
    "applicationName": "application_name",
    "loginTimeout": "connect_timeout",
    "connectTimeout": "connect_timeout",
    "targetServerType": "target_session_attrs",
}
_SSL_WORDS = {
    "true": "require",
    "1": "require",
    "yes": "require",
    "on": "require",
    "required": "require",
    "false": "disable",
    "0": "disable",
    "no": "disable",
    "off": "disable",
    "no-verify": "require",
    "accept_invalid_certs": "require",
    "strict": "verify-full",
    "verify_ca": "verify-ca",
    "verify_full": "verify-full",
}
_SERVERS = {
    "primary": "read-write",
    "master": "read-write",
    "secondary": "standby",
    "preferSecondary": "prefer-standby",
}
_FILES: dict[str, Callable[[str], Path]] = {
    "sslrootcert": files.certificates,
    "sslcert": files.certificates,
    "sslkey": files.file,
    "sslcrl": files.file,
    "passfile": files.file,
}
_SAMPLE = "postgresql://USER:PASSWORD@HOST:5432/NAME"


def database_url(text: str) -> str:
    """`postgresql+psycopg://…` or `sqlite:////…`. Raises ValueError, which names the parameter and repeats no secret."""
    text = re.sub(r"^psql\s+['\"]?|['\"]$", "", text)  # the console of a host offers the whole command
    if text.startswith("file:"):
        return _sqlite("sqlite:///" + text.removeprefix("file:").removeprefix("//"))
    if "://" not in text and re.match(r"\s*\w+\s*=", text):
        return _postgresql(_of_pairs(text))
    scheme = text.partition("://")[0].lower()
    if _SQLITE.fullmatch(scheme.partition(":")[0]):
        return _sqlite(text)
    if not _POSTGRES.fullmatch(scheme):
        known = "PostgreSQL or SQLite" if re.fullmatch(r"[a-z][a-z0-9+.:-]*", scheme) else _SAMPLE
        raise ValueError(f"bmn keeps its records in {known}; write {_SAMPLE}, or leave it empty for SQLite")
    text = re.sub(r"^(?:jdbc:)?([a-z]+)(?:\+\w+)?://", r"\1://", text, flags=re.IGNORECASE)  # no scheme may hold a `_`
    return _postgresql(read_url(text))


def _sqlite(text: str) -> str:
    rest = re.sub(r"^sqlite3?(\+\w+)?:(//)?", "", text, flags=re.IGNORECASE)
    path, _, query = rest.removeprefix("/").partition("?")
    if names := [name for name, _ in parse_qsl(query, keep_blank_values=True) if name != "connection_limit"]:
        raise ValueError(f"its parameter {names[0][:60]} means nothing to SQLite here; leave it out")
    if path in ("", ":memory:"):
        raise ValueError("a database in memory is not shared by bmn's processes; name a file, or leave it empty")
    return f"sqlite:///{Path(path).expanduser().absolute()}"


def _of_pairs(text: str) -> ServiceUrl:
    """libpq's other form: `host=db user=me password='p w' dbname=x`."""
    try:
        pairs = dict(part.split("=", 1) for part in shlex.split(re.sub(r"\s*=\s*", "=", text)))
    except ValueError:
        raise ValueError(f"it cannot be read; write {_SAMPLE}") from None
    return ServiceUrl("postgresql", params=pairs)


def _postgresql(url: ServiceUrl) -> str:
    params = {_ALIASES.get(name, name): value for name, value in url.params.items()}
    url.params = params
    url.user = url.user or params.pop("user", "")
    url.password = url.password or params.pop("password", "")
    name = unquote(url.path.removeprefix("/")).rstrip("/") or params.pop("dbname", "")
    places = url.places or _hosts_of(params)
    for taken in ("user", "password", "dbname", "host", "port"):
        params.pop(taken, None)
    if "schema" in params:
        _add_schema(params, params.pop("schema"))
    if params.pop("client_encoding", "utf8").lower().replace("-", "") not in ("utf8", "unicode", "auto"):
        raise ValueError("client_encoding has to be UTF8; leave it out")
    _check_words(params)
    check_params(url, known=LIBPQ, foreign=_FOREIGN, of="PostgreSQL's")
    if "/" in name or "?" in name:
        raise ValueError("the name of its database holds a slash; what follows the host is the name alone")
    authority = ""
    if len(places) == 1 and not places[0][0].startswith("/"):
        authority = _place(*places[0])
    elif places:  # several servers, or the folder of a Unix socket
        params = {"host": ",".join(host for host, _ in places), **params}
        if any(port for _, port in places):
            params["port"] = ",".join(str(port or "") for _, port in places)
    query = urlencode(params, quote_via=quote)
    return f"postgresql+psycopg://{url.credentials}{authority}/{quote(name, safe='')}" + (f"?{query}" if query else "")


def _place(host: str, port: int | None) -> str:
    return f"{host}:{port}" if port else host


def _hosts_of(params: dict[str, str]) -> list[tuple[str, int | None]]:
    hosts, ports = params.get("host", ""), params.get("port", "").split(",")
    if any(port and not is_whole(port) for port in ports):
        raise ValueError("its parameter port is not a number")
    if not hosts:
        return []
    return [(host, int(ports[n % len(ports)] or 0) or None) for n, host in enumerate(hosts.split(","))]


def _add_schema(params: dict[str, str], schema: str) -> None:
    if not re.fullmatch(r"[\w$, \"-]{1,200}", schema):
        raise ValueError("its parameter schema holds a character that no schema has")
    if schema.replace('"', "").replace(" ", "") not in ("", "public"):
        given = (params.get("options"), f"-csearch_path={schema.replace(' ', '')}")
        params["options"] = " ".join(filter(None, given))


def _check_words(params: dict[str, str]) -> None:
    """Parameters whose value is one of a few words, as libpq spells them."""
    if (mode := params.get("sslmode")) is not None:
        known = _SSL_WORDS.get(mode.lower(), mode.lower())
        if known not in _SSL_MODES:
            raise ValueError(f"its parameter sslmode may be {', '.join(_SSL_MODES)}")
        params["sslmode"] = known
    if (wanted := params.get("target_session_attrs")) is not None:
        server = _SERVERS.get(wanted, wanted)
        if server not in _SESSIONS:
            raise ValueError(f"its parameter target_session_attrs may be {', '.join(_SESSIONS)}")
        params["target_session_attrs"] = server
    for name in ("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"):
        if not is_whole(params.get(name, "0").strip().removeprefix("-")):
            raise ValueError(f"its parameter {name} is not a whole number")
    for name, read in _FILES.items():
        if (named := params.get(name)) and named != "system":
            params[name] = str(files.parameter(name, named, read))
