"""Pictures and videos as the command line names, fetches and writes them."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bmn.cli.lookup.session import find_job
from bmn.client import Client
from bmn.errors import NotFound, UsageProblem
from bmn.schemas.documents import Asset

_OF_JOB = re.compile(r"(?P<job>[\w:.-]+)[/#](?P<number>\d+)")
_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"RIFF", ".webp"), (b"GIF8", ".gif"))

_ELSEWHERE = "Name another place with --out."


def slug(name: str) -> str:
    """A name as a file name: letters and digits of any script, the rest dashes."""
    return re.sub(r"[^\w]+", "-", name.casefold(), flags=re.UNICODE).strip("-_") or "brand"


def suffix_of(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return ".mp4"
    return next((suffix for magic, suffix in _SUFFIXES if data.startswith(magic)), ".bin")


async def of_brand(client: Client, brand_id: str, kind: str) -> list[Asset]:
    """A brand's assets of one type, newest first."""
    return (await client.assets(brand_id, kind=kind)).assets


async def find_asset(client: Client, brand_id: str, reference: str, kind: str = "logo") -> Asset:
    """The asset that is meant: `JOB/2`, a number in the brand's newest job, or the id of one of its assets.

    Raises NotFound.
    """
    if match := _OF_JOB.fullmatch(reference):
        job = await client.job(await find_job(client, match["job"]))
        return _numbered(job.assets, int(match["number"]), f"job {match['job']}")
    assets = await of_brand(client, brand_id, kind)
    if not assets:
        raise NotFound(f"This brand has no {kind} yet.", hint=f"Make one: bmn generate {kind}s --brand NAME")
    if reference.isdecimal():
        last = newest(assets)
        older = len(assets) > len(last)
        return _numbered(last, int(reference), f"newest {kind} job", " Older ones are named JOB/2." if older else "")
    found = [asset for asset in assets if len(reference) >= 4 and asset.id.startswith(reference)]
    if len(found) != 1:
        which = f"several {kind}s" if found else f"no {kind} of this brand"
        raise NotFound(f"{reference!r} names {which}.", hint="Give its number, JOB/2, or its id.")
    return found[0]


def newest(assets: list[Asset]) -> list[Asset]:
    """The assets of the newest job among them, in the order of their numbers."""
    if not assets:
        return []
    job_id = assets[0].job_id
    return numbered([asset for asset in assets if asset.job_id == job_id])


def numbered(assets: list[Asset]) -> list[Asset]:
    """In the order in which they are numbered for people: the job's own numbering."""
    return sorted(assets, key=lambda asset: (asset.metadata.get("index", 0), asset.created_at, asset.url))


def _numbered(assets: list[Asset], number: int, where: str, more: str = "") -> Asset:
    if 1 <= number <= len(assets):
        return numbered(assets)[number - 1]
    raise NotFound(f"There is no picture {number} in the {where}.", hint=f"It has {len(assets)}.{more}")


def local_path(client: Client, url: str) -> Path | None:
    """Where an object of this machine's own server lies on disk; None for any other."""
    own = urlsplit(client.api_url)
    parts = urlsplit(url)
    if parts.netloc not in ("", own.netloc) or not parts.path.startswith("/files/"):
        return None
    path = client.settings.bmn_home / "objects" / unquote(parts.path.removeprefix("/files/"))
    return path if path.is_file() else None


def choose_names(folder: Path, stem: str, job_tag: str, datas: list[bytes]) -> list[Path]:
    """File names that overwrite nothing: `stem-1.png`, or with the job's tag where those exist."""

    def names(prefix: str) -> list[Path]:
        return [folder / f"{prefix}-{index}{suffix_of(data)}" for index, data in enumerate(datas, start=1)]

    plain = names(stem)
    return plain if not any(path.exists() for path in plain) else names(f"{stem}-{job_tag}")


def make_folder(folder: Path) -> None:
    """Makes a folder that files can be written to, if it is none yet. Raises UsageProblem."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"The folder {folder} cannot be made: {error.strerror}.", hint=_ELSEWHERE) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageProblem(f"The folder {folder} may not be written to.", hint=_ELSEWHERE)


def write(path: Path, data: bytes) -> None:
    """The whole file or none. Raises UsageProblem."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageProblem(f"{path} cannot be written: {error.strerror}.", hint=_ELSEWHERE) from error
