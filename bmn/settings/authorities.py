"""Whose certificates are believed, as the environment says: one answer for every client, whichever library it is made with.

SSL_CERT_FILE, else SSL_CERT_DIR, else REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE (a file or a folder); none: the system's own.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bmn.errors import Misconfigured
from bmn.settings.files import certificate_folder, certificates, file, log_file
from bmn.settings.texts import plain

if TYPE_CHECKING:
    from ssl import SSLContext

_NAMES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# What libraries read beside our settings, where they are used at all.
_OF_POSTGRESQL: dict[str, Callable[[str], Path]] = {
    "PGSSLROOTCERT": certificates,
    "PGSSLCERT": certificates,
    "PGSSLKEY": file,
    "PGSSLCRL": file,
    "PGPASSFILE": file,
    "PGSERVICEFILE": file,
}
_OF_TLS: dict[str, Callable[[str], Path]] = {"SSLKEYLOGFILE": log_file}
_OF_TRACES: dict[str, Callable[[str], Path]] = {
    "OTEL_EXPORTER_OTLP_CERTIFICATE": certificates,
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certificates,
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": file,
}


@cache
def authorities() -> "SSLContext | None":
    """Believes the certificates that the environment names; None where it names none. Raises Misconfigured by name."""
    variable, value = _chosen(_values())
    if not value:
        return None
    import ssl  # noqa: PLC0415 - only where something is named; it takes a while

    if variable == "SSL_CERT_DIR":
        return ssl.create_default_context(capath=value)
    return ssl.create_default_context(cafile=value)


def share_authorities() -> None:
    """Tells the libraries that read one of the variables only (the object store, traces, Sentry) as well.

    Raises Misconfigured for a file that cannot be used.
    """
    variable, value = _chosen(_values())
    if value:
        os.environ[variable] = os.environ.get(variable) or value
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ.get("REQUESTS_CA_BUNDLE") or value.partition(os.pathsep)[0]


def check_library_files(*, postgresql: bool, traces: bool) -> None:
    """Raises Misconfigured for a file that a library of ours would be pointed to and could not use."""
    used = _OF_TLS | (_OF_POSTGRESQL if postgresql else {}) | (_OF_TRACES if traces else {})
    for variable, read in used.items():
        text = os.environ.get(variable, "")
        if text and not (variable == "PGSSLROOTCERT" and text == "system"):
            _usable(variable, text, read)


def _values() -> tuple[str, ...]:
    return tuple(plain(os.environ.get(name, ""), name) for name in _NAMES)


@cache
def _chosen(values: tuple[str, ...]) -> tuple[str, str]:
    """SSL_CERT_FILE or SSL_CERT_DIR, and what it comes to; empty where nothing is named. Looks at all that are."""
    found = [_place(name, text) for name, text in zip(_NAMES, values, strict=True) if text]
    return found[0] if found else ("", "")


def _place(variable: str, text: str) -> tuple[str, str]:
    if variable == "SSL_CERT_DIR":  # a list, of which some folders may be those of other systems
        folders = [part for part in text.split(os.pathsep) if Path(part).expanduser().is_dir()] or [text]
        return variable, os.pathsep.join(str(_usable(variable, part, certificate_folder)) for part in folders)
    if variable != "SSL_CERT_FILE" and Path(text).expanduser().is_dir():
        return "SSL_CERT_DIR", str(_usable(variable, text, certificate_folder))
    return "SSL_CERT_FILE", str(_usable(variable, text, certificates))


def _usable(variable: str, text: str, read: Callable[[str], Path]) -> Path:
    try:
        return read(text)
    except ValueError as problem:
        raise Misconfigured(
            f"A setting cannot be used. {variable}: {problem}.", hint="Correct it, or unset the variable."
        ) from None
