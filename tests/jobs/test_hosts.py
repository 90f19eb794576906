"""Hosts that have to have something alike, and have not, are named."""

from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from bmn.broker import redis_keys
from bmn.jobs import hosts
from bmn.jobs.hosts import describe_host, differences
from bmn.settings import Settings
from tests.kit.engine import Engine

_SECRET = SecretStr("one-secret-for-all-of-them-0123456789")


def _host(home: Path, **settings: object) -> hosts.Host:
    (home / "objects").mkdir(parents=True, exist_ok=True)
    chosen = {"bmn_signing_secret": _SECRET, **settings}
    return describe_host(Settings(bmn_home=home).model_copy(update=chosen))


def _settings(*found: hosts.Host) -> list[str]:
    return [difference.setting for difference in differences(found)]


def test_two_folders_are_two_stores_and_one_that_is_mounted_twice_is_one(tmp_path: Path) -> None:
    one, other = _host(tmp_path / "a"), _host(tmp_path / "b")
    assert _settings(one, other) == ["STORAGE_BACKEND"]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "objects").symlink_to(tmp_path / "a" / "objects")
    assert _settings(one, _host(tmp_path / "c")) == []


def test_two_signing_keys_and_two_addresses_are_named_and_no_secret_is_told(tmp_path: Path) -> None:
    one = _host(tmp_path, public_url="https://a.example")
    other = _host(tmp_path, bmn_signing_secret=SecretStr("another-secret-0123456789-0123456789"))
    assert _settings(one, other) == ["BMN_SIGNING_SECRET", "PUBLIC_URL"]
    assert "secret" not in one.model_dump_json()


def test_a_host_that_deletes_what_others_archive_is_named(tmp_path: Path) -> None:
    one = _host(tmp_path, bmn_archive_days=400)
    assert _settings(one, _host(tmp_path, bmn_archive_days=400)) == []
    assert (
        _settings(one, _host(tmp_path)) == _settings(one, _host(tmp_path, bmn_archive_days=30)) == ["BMN_ARCHIVE_DAYS"]
    )
    bucket = {"storage_backend": "s3", "s3_endpoint": "https://s3.example", "bmn_archive_days": 400}
    same = _host(tmp_path, bmn_archive_bucket="old", **bucket)
    assert _settings(same, _host(tmp_path, bmn_archive_bucket="old", **bucket)) == []
    assert _settings(same, _host(tmp_path, bmn_archive_bucket="older", **bucket)) == ["BMN_ARCHIVE_DAYS"]


async def test_what_a_host_says_is_forgotten_when_it_is_gone(engine: Engine) -> None:
    core = engine.core
    await hosts.say(core)
    away = replace(core, settings=core.settings.model_copy(update={"public_url": "https://b.example"}))
    (mine,) = await hosts.said(core)
    old = describe_host(away.settings).model_copy(update={"at": mine.at - redis_keys.HOST_SECONDS * 1000 - 1})
    await core.redis.hset(
        redis_keys.HOSTS, mapping={"other.1": old.model_dump_json(), "newer.2": '{"release": "next"}'}
    )
    assert await hosts.said(core) == [mine]
    assert list(await core.redis.hgetall(redis_keys.HOSTS)) != []
    assert 0 < await core.redis.ttl(redis_keys.HOSTS) <= redis_keys.HOST_SECONDS
