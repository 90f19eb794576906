"""Files that a setting names: looked at once, at the start, so that none is found unreadable in the middle of work.

Each reader answers with the whole path, or raises ValueError with what is wrong with the file.
"""

import json
from collections.abc import Callable
from pathlib import Path


def folder(text: str) -> Path:
    """A path as people write it, `~` included; whether anything is there is not looked at."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("it begins with ~, and this user has no home; write the whole path") from None


def file(text: str) -> Path:
    """A file that can be read and is not empty."""
    path = folder(text)
    _read(path)
    return path


def json_file(text: str) -> Path:
    """A document of JSON."""
    path = folder(text)
    data = _read(path)
    try:
        json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"{path} is not JSON: {problem}") from None
    return path


def certificates(text: str) -> Path:
    """Certificates as PEM: a bundle of authorities, or one of our own."""
    import ssl  # noqa: PLC0415 - only where one is named; it takes a while

    path = folder(text)
    _read(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificate that can be read; it has to be PEM") from None
    return path


def certificate_folder(text: str) -> Path:
    """A folder of certificates under the names by which OpenSSL finds them."""
    path = folder(text)
    try:
        names = [entry.name for entry in path.iterdir()]
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if not any(name[:8].isalnum() and name[8:9] == "." and name[9:].isdecimal() for name in names):
        raise ValueError(f"{path} has no certificate that OpenSSL finds; run: openssl rehash {path}")
    return path


def log_file(text: str) -> Path:
    """A file that a library appends to."""
    path = folder(text)
    try:
        path.open("ab").close()
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None
    return path


def parameter(name: str, text: str, read: Callable[[str], Path]) -> Path:
    """What a parameter of an address names, by one of the readers above."""
    try:
        return read(text)
    except ValueError as problem:
        raise ValueError(f"its parameter {name}: {problem}") from None


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"there is no such file: {path}") from None
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder, not a file") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if not data.strip():
        raise ValueError(f"{path} is empty")
    return data
