"""The first sight of a user: nothing that is wrong with Redis or their address keeps them out, or ungreeted."""

from pathlib import Path

from bmn.broker.embedded import EmbeddedRedis
from bmn.settings import load_settings
from bmn.work.welcome import ensure_known
from bmn.work.wiring import open_core
from tests.kit.engine import FAST, Engine
from tests.kit.people import ANA, BEN


async def test_who_comes_first_while_redis_is_full_is_let_in_and_greeted_later(engine: Engine, tmp_path: Path) -> None:
    own_redis = EmbeddedRedis(tmp_path / "full")
    own_redis.start()
    own = {"redis_url": own_redis.url, "database_url": engine.settings.database_address}
    core = await open_core(load_settings(bmn_home=engine.settings.bmn_home, **own, **FAST), "server")
    try:
        await core.redis.config_set("maxmemory", "1")
        await core.health.probe()
        assert core.health.full
        assert [await ensure_known(core, ANA, "ana@example.org") for _ in range(2)] == [True, False]
        assert sorted(job.id for job in await engine.all_jobs()) == [f"crm-sync-{ANA}", f"email-send-{ANA}"]
        await core.redis.config_set("maxmemory", "0")
    finally:
        await core.close()
        own_redis.stop()


async def test_an_address_that_no_mail_goes_to_keeps_nobody_out(engine: Engine) -> None:
    assert await ensure_known(engine.core, BEN, "not an address")
    assert (await engine.balance(BEN)).remaining > 0
    assert await engine.all_jobs() == []
