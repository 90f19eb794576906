"""What hosts of one deployment have to have alike: each says in Redis what it has, and those that differ are named.

A secret is told by a fingerprint, and a folder by a mark that lies in it, so that one that is mounted on all is one.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import redis
from pydantic import BaseModel, ConfigDict, ValidationError

from bmn.broker import redis_keys
from bmn.jobs.core import FAMILY, Core, this_host
from bmn.logs import get_logger
from bmn.schemas.base import now_ms
from bmn.settings import Settings
from bmn.signing import signing_secret

log = get_logger(__name__)

_MARK = ".store"
_NAMED = 5  # hosts in a message


class Host(BaseModel):
    """public_url: empty where none is set. signs, stores: fingerprints. at: when it said so, ms since 1970, by Redis' clock.

    archives: where, and for how many days; empty where it does not, as in releases that could not.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    public_url: str
    signs: str
    stores: str
    archives: str = ""
    at: int


@dataclass(frozen=True, slots=True)
class Difference:
    """setting: what the hosts do not have alike. message: between whom, and what comes of it."""

    setting: str
    message: str


def describe_host(settings: Settings) -> Host:
    """What this host says of itself."""
    return Host(
        name=this_host(),
        public_url=settings.public_url,
        signs=_fingerprint(signing_secret(settings)),
        stores=_store(settings),
        archives=_archive(settings),
        at=now_ms(),
    )


async def say(core: Core) -> None:
    """Tells the others, for a minute."""
    with suppress(redis.RedisError, OSError):
        host = describe_host(core.settings).model_copy(update={"at": await _redis_ms(core)})
        async with core.redis.pipeline(transaction=True) as together:  # cut between the two, it would live for ever
            together.hset(redis_keys.HOSTS, f"{this_host()}.{FAMILY}", host.model_dump_json())
            together.expire(redis_keys.HOSTS, redis_keys.HOST_SECONDS)
            await together.execute()


async def _redis_ms(core: Core) -> int:
    """The time that all hosts have alike."""
    seconds, micros = await core.redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def said(core: Core) -> list[Host]:
    """What every living host says of itself; none while Redis is away."""
    try:
        rows = await core.redis.hgetall(redis_keys.HOSTS)
        oldest, found, gone = await _redis_ms(core) - redis_keys.HOST_SECONDS * 1000, [], []
        for field, text in rows.items():
            host = _read(text)
            if host is None or host.at < oldest:
                gone.append(field)
            else:
                found.append(host)
        if gone:
            await core.redis.hdel(redis_keys.HOSTS, *gone)
    except (redis.RedisError, OSError) as error:
        log.debug("hosts are not compared while Redis is away", error=str(error))
        return []
    return found


def differences(found: Iterable[Host]) -> list[Difference]:
    """What the hosts do not have alike."""
    hosts = sorted(found, key=lambda host: host.name)
    checks = (
        (
            "BMN_SIGNING_SECRET",
            {host.signs for host in hosts},
            "sign links with different keys: a link of one is refused by another",
        ),
        (
            "STORAGE_BACKEND",
            {host.stores for host in hosts},
            "keep objects in different places: what one has made, another does not find. "
            "Set STORAGE_BACKEND=s3 on all, or mount one folder on all as BMN_HOME/objects",
        ),
        (
            "BMN_ARCHIVE_DAYS",
            {host.archives for host in hosts},
            "archive old rows in different places, for different times, or not at all: a worker that does not, or is "
            "of an older release, deletes them unarchived. Set BMN_ARCHIVE_DAYS and the bucket on all, or mount one "
            "folder on all as BMN_HOME/archive",
        ),
        (
            "PUBLIC_URL",
            {host.public_url for host in hosts},
            "have different PUBLIC_URLs: addresses that they write lead to different places",
        ),
    )
    names = list(dict.fromkeys(host.name for host in hosts))
    who = "Two of one host" if len(names) == 1 else f"The hosts {', '.join(names[:_NAMED])}"
    return [Difference(setting, f"{who} {words}.") for setting, values, words in checks if len(values) > 1]


def _read(text: str | bytes) -> Host | None:
    try:
        return Host.model_validate_json(text)
    except ValidationError:
        return None  # of another release


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(f"bmn hosts 1\n{secret}".encode()).hexdigest()[:16]


def _store(settings: Settings) -> str:
    if settings.storage_backend == "s3":
        return _fingerprint(f"{settings.s3_endpoint}\n{settings.s3_bucket}")
    return _mark(settings.bmn_home / "objects")


def _archive(settings: Settings) -> str:
    days = settings.bmn_archive_days
    if not days:
        return ""
    if settings.storage_backend == "s3":
        bucket = settings.bmn_archive_bucket or settings.s3_bucket
        return f"{days} {_fingerprint(f'{settings.s3_endpoint}|{bucket}')}"
    folder = settings.bmn_home / "archive"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"{days} {_mark(folder)}"


def _mark(folder: Path) -> str:
    """Of the folder that is there, made by whoever comes first."""
    mark = folder / _MARK
    with suppress(FileNotFoundError):
        return mark.read_text()
    draft = folder / f"{_MARK}.{uuid4().hex}"
    try:
        draft.write_text(secrets.token_hex(8))
        with suppress(FileExistsError):
            os.link(draft, mark)  # whole or not at all: two processes may begin at once
        return mark.read_text()
    finally:
        draft.unlink(missing_ok=True)
