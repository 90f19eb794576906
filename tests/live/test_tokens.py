"""Tokens: forged, expired, or with less rights than before."""

import asyncio
import json

import pytest

from bmn.identity import roles
from bmn.schemas.events import ADMIN, DASHBOARD, WIZARD
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE
from tests.kit.raw import Raw
from tests.kit.tokens import SECRET_KEY, Project
from tests.live.servers import Live


@pytest.mark.parametrize("namespace", [WIZARD, DASHBOARD, ADMIN])
async def test_every_forged_token_is_refused_alike(bare: Live, namespace: str) -> None:
    project = Project()
    with project.serving():
        server = await bare.server(settings=project.settings(), attempts=10_000, unasked=10_000, refusal_seconds=(0,))
        raw = await Raw.open(server)
        for name, token in project.forgeries().items():
            answer = await raw.join(namespace, token)
            words = "no token provided" if not token else "Authentication failed: invalid token"
            assert words in answer and answer.startswith("44"), (name, answer)
        good = project.token(app_metadata={"role": "admin"})
        assert '"sid"' in await raw.join(namespace, good)


@pytest.mark.parametrize("token", ["5", "[]", "{}", "true", '"' + "x" * 100_000 + '"'])
async def test_what_is_no_token_at_all_is_refused(bare: Live, token: str) -> None:
    server = await bare.server()
    raw = await Raw.open(server)
    await raw.send(f'40/wizard,{{"token":{token}}}')
    assert (await raw.read()).startswith('44/wizard,{"message": "Authentication')


async def test_a_token_that_expires_is_told_and_the_socket_ended(bare: Live) -> None:
    server = await bare.server(check_seconds=0.1)
    raw = await Raw.open(server)
    await raw.join(WIZARD, bare.token(seconds=-28))  # within what clocks may differ, for two seconds
    told = await asyncio.wait_for(raw.read(), PATIENCE)
    assert json.loads(told.partition(",")[2])[0] == "token_expired"
    assert await asyncio.wait_for(raw.closed(), PATIENCE)


async def test_an_admin_whose_role_is_taken_away_is_told_and_the_socket_ended(
    bare: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "_BELIEVED_SECONDS", 0.0)
    project = Project()
    project.users = {ANA: {"app_metadata": {"role": "admin"}}}
    with project.serving():
        server = await bare.server(
            settings={**project.settings(), "supabase_secret_key": SECRET_KEY}, check_seconds=0.1
        )
        raw = await Raw.open(server)
        token = project.token(app_metadata={"role": "admin"})
        assert '"sid"' in await raw.join(ADMIN, token)
        assert "stats" in await raw.ask('42/admin,7["queues:stats"]')
        project.users = {ANA: {"app_metadata": {}}}
        told = await asyncio.wait_for(raw.read(), PATIENCE)
        assert json.loads(told.partition(",")[2])[0] == "token_expired"
        assert await asyncio.wait_for(raw.closed(), PATIENCE)
        assert "Admin access required" in await (await Raw.open(server)).join(ADMIN, token)


async def test_who_is_no_admin_any_more_does_not_come_back_as_one(bare: Live) -> None:
    server = await bare.server()
    raw = await Raw.open(server)
    joined = json.loads((await raw.join(ADMIN, bare.token(role="admin"), recovery=True)).partition(",")[2])
    await raw.connection.close()
    again = await Raw.open(server)
    refused = await again.join(ADMIN, bare.token(), pid=joined["pid"])
    assert "Admin access required" in refused
