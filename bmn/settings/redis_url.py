"""REDIS_URL as the hosts and tools of this world write it, read once and turned into the form that redis-py takes."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote, urlencode

from bmn.settings import files
from bmn.settings.urls import ServiceUrl, check_params, read_url

_SCHEMES = {
    "redis": "redis",
    "valkey": "redis",
    "tcp": "redis",
    "rediss": "rediss",
    "valkeys": "rediss",
    "redis+ssl": "rediss",
    "redis+tls": "rediss",
    "unix": "unix",
    "redis+socket": "unix",
    "unix+redis": "unix",
    "redis+unix": "unix",
    "redis+sentinel": "redis+sentinel",
    "valkey+sentinel": "redis+sentinel",
    "redis-sentinel": "redis+sentinel",
    "sentinel": "redis+sentinel",
    "rediss+sentinel": "rediss+sentinel",
    "valkeys+sentinel": "rediss+sentinel",
    "rediss-sentinel": "rediss+sentinel",
    "sentinels": "rediss+sentinel",
}
_KNOWN_NAMES = """
    ssl_cert_reqs ssl_ca_certs ssl_ca_path ssl_certfile ssl_keyfile ssl_check_hostname client_name protocol
"""
_KNOWN = frozenset(_KNOWN_NAMES.split())
# Time limits, pools and answers are ours to decide; family and tls are what Node's clients read.
_FOREIGN_NAMES = """
    family tls ssl timeout socket_timeout socket_connect_timeout socket_keepalive connect_timeout connection_timeout
    retry_on_timeout retry_on_error max_connections health_check_interval decode_responses encoding encoding_errors
    lib_name lib_version virtual_host visibility_timeout enableReadyCheck lazyConnect maxRetriesPerRequest
    allowUsernameInURI password username user db database
"""
_OF_SENTINELS = frozenset(("sentinel_username", "sentinel_password"))
_FOREIGN = frozenset(_FOREIGN_NAMES.split())
_SENTINEL_PORT = 26379
_CERTIFICATES = {"cert_none": "none", "cert_optional": "optional", "cert_required": "required"}
_FILES: dict[str, Callable[[str], Path]] = {
    "ssl_ca_certs": files.certificates,
    "ssl_ca_path": files.certificate_folder,
    "ssl_certfile": files.certificates,
    "ssl_keyfile": files.file,
}
_SAMPLE = "redis://USER:PASSWORD@HOST:6379/0"
_SENTINEL_SAMPLE = "redis+sentinel://:PASSWORD@A:26379,B:26379,C:26379/NAME/0"


def redis_url(text: str) -> str:
    """`redis://`, `rediss://`, `unix://`, `redis+sentinel://` or `rediss+sentinel://`.

    Raises ValueError, which names the parameter and repeats no secret.
    """
    if command := re.fullmatch(r"(?:redis|valkey)-cli\s+(?P<tls>--tls\s+)?-u\s+['\"]?(?P<url>\S+?)['\"]?", text):
        tls, text = command.groups()
        text = re.sub(r"^redis:", "rediss:", text) if tls else text
    if "://" not in text:
        text = _without_scheme(text)
    scheme = text.partition("://")[0].lower()
    if "cluster" in scheme:
        raise ValueError(f"bmn needs one Redis, not a cluster of them: {_SAMPLE}")
    if scheme in ("http", "https"):
        raise ValueError(f"that is the address of a REST interface; take the one that begins with rediss://, {_SAMPLE}")
    if scheme not in _SCHEMES:
        raise ValueError(f"it has to look like {_SAMPLE}")
    url = read_url(text)
    url.scheme = _SCHEMES[scheme]
    url.password = url.password or url.params.get("password", "")
    url.user = url.user or url.params.get("username", "") or url.params.get("user", "")
    if url.params.get("tls", url.params.get("ssl", "")).lower() in ("true", "1", "required"):
        url.scheme = re.sub(r"^redis(?=$|\+)", "rediss", url.scheme)
    if url.scheme == "unix":
        return _unix(url)
    return _sentinels(url) if url.scheme.endswith("+sentinel") else _tcp(url)


def from_parts(host: str, port: int, user: str, password: str, database: int) -> str:
    """The URL of REDIS_HOST and what belongs to it; each may hold any character."""
    place = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"redis://{ServiceUrl('redis', user, password).credentials}{place}:{port}/{database}"


def with_credentials(url: str, user: str, password: str) -> str:
    """The URL with a password that stands in a variable of its own, where it has none itself."""
    scheme, _, rest = url.partition("://")
    if "@" in rest and ":" in rest.rpartition("@")[0]:
        return url
    known = unquote(rest.rpartition("@")[0])
    return f"{scheme}://{ServiceUrl(scheme, known or user, password).credentials}{rest.rpartition('@')[2]}"


def _without_scheme(text: str) -> str:
    if "," in text:
        raise ValueError(f"a list of hosts and options cannot be read; write {_SAMPLE}, with TLS rediss://…")
    if text.startswith("/"):
        return f"unix://{quote(text)}"
    if re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+)(:[0-9]+)?(/[0-9]+)?", text):
        return f"redis://{text}"
    raise ValueError(f"it has to look like {_SAMPLE}")


def _database(url: ServiceUrl, path: str = "") -> int:
    text = url.params.get("db") or url.params.get("database") or unquote(path).strip("/") or "0"
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ValueError("its database is not a number; what follows the host is 0 to 15, as in redis://HOST:6379/0")
    return int(text)


def _tcp(url: ServiceUrl) -> str:
    if len(url.places) > 1:
        raise ValueError(f"it names several hosts; bmn needs one Redis, {_SAMPLE}, or sentinels: {_SENTINEL_SAMPLE}")
    host, port = url.places[0] if url.places else ("localhost", None)
    database = _database(url, url.path)
    check_params(url, known=_KNOWN, foreign=_FOREIGN, of="Redis's")
    return f"{url.scheme}://{url.credentials}{host or 'localhost'}:{port or 6379}/{database}{_query(url)}"


def _sentinels(url: ServiceUrl) -> str:
    name, _, database = unquote(url.path).strip("/").partition("/")
    if not url.places or not re.fullmatch(r"[A-Za-z0-9._-]*[A-Za-z._-][A-Za-z0-9._-]*", name):
        raise ValueError(f"behind its sentinels stands the name of the primary that they watch: {_SENTINEL_SAMPLE}")
    number = _database(url, database)
    check_params(url, known=_KNOWN | _OF_SENTINELS, foreign=_FOREIGN, of="Redis's")
    hosts = ",".join(f"{host or 'localhost'}:{port or _SENTINEL_PORT}" for host, port in url.places)
    return f"{url.scheme}://{url.credentials}{hosts}/{name}/{number}{_query(url)}"


def _unix(url: ServiceUrl) -> str:
    path = unquote(url.path)
    if url.places or not path.startswith("/"):
        raise ValueError("the path of a Unix socket begins with a slash: unix:///run/redis.sock")
    database = _database(url)
    check_params(url, known=_KNOWN, foreign=_FOREIGN, of="Redis's")
    url.params["db"] = str(database)
    return f"unix://{url.credentials}{quote(path)}{_query(url)}"


def _query(url: ServiceUrl) -> str:
    params = url.params
    if (wanted := params.get("ssl_cert_reqs")) is not None:
        params["ssl_cert_reqs"] = _CERTIFICATES.get(wanted.lower(), wanted.lower())
        if params["ssl_cert_reqs"] not in _CERTIFICATES.values():
            raise ValueError("its parameter ssl_cert_reqs may be required, optional or none")
    if params.get("protocol", "3") not in ("2", "3"):
        raise ValueError("its parameter protocol may be 2 or 3")
    for name, read in _FILES.items():
        if name in params:
            params[name] = str(files.parameter(name, params[name], read))
    return f"?{urlencode(params)}" if params else ""
