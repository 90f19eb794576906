"""The files that pictures and videos are written to: what they are called, and whole or not there."""

import os
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bmn.cli.terminal.record_format import short_id, slug
from bmn.client import Client
from bmn.errors import UsageProblem

_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"RIFF", ".webp"), (b"GIF8", ".gif"))
_ELSEWHERE = "Name another place with --out."


def suffix_of(data: bytes) -> str:
    """The ending of a file's name, by its type."""
    if data[4:8] == b"ftyp":
        return ".mp4"
    return next((suffix for magic, suffix in _SUFFIXES if data.startswith(magic)), ".bin")


def local_path(client: Client, url: str) -> Path | None:
    """Where an object of this machine's own server lies on disk; None for any other."""
    own = urlsplit(client.api_url)
    parts = urlsplit(url)
    if parts.netloc not in ("", own.netloc) or not parts.path.startswith("/files/"):
        return None
    folder = client.settings.bmn_home / "objects"
    path = folder / unquote(parts.path.removeprefix("/files/"))
    # Words of a server, which may not be ours: they name nothing outside.
    return path if path.is_file() and path.resolve().is_relative_to(folder.resolve()) else None


def stem_for(brand: str, noun: str) -> str:
    """How the names of a brand's files begin: `acme-coffee-logo`."""
    return f"{slug(brand)}-{slug(noun)}"


def choose_names(folder: Path, stem: str, job_id: str, datas: Mapping[int, bytes]) -> list[Path]:
    """File names that overwrite nothing else: `stem-1.png`, or with more of the job's id where other files are called so.

    datas: the files by their numbers.
    """
    whole = short_id(job_id)
    prefixes = chain((stem, f"{stem}-{whole[:4]}", f"{stem}-{whole}"), (f"{stem}-{whole}-{n}" for n in count(2)))
    for prefix in prefixes:
        paths = [folder / f"{prefix}-{number}{suffix_of(data)}" for number, data in datas.items()]
        if all(not path.exists() or _holds(path, data) for path, data in zip(paths, datas.values(), strict=True)):
            return paths
    raise AssertionError("there is always a further name")


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def make_folder(folder: Path) -> None:
    """Makes a folder that files can be written to, and those it is in. Raises UsageProblem."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"The folder {folder} cannot be made: {error.strerror}.", hint=_ELSEWHERE) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageProblem(f"The folder {folder} may not be written to.", hint=_ELSEWHERE)


def write(path: Path, data: bytes) -> None:
    """The whole file or none, in a folder that exists. Raises UsageProblem."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.unlink(missing_ok=True)  # of a command that was killed, or somebody's link to somewhere else
        with draft.open("xb") as file:
            file.write(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageProblem(f"{path} cannot be written: {error.strerror}.", hint=_ELSEWHERE) from error
