"""Who is let in: good tokens of every kind, and every forgery refused with the same words."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from bmn.errors import NotAllowed, NotSignedIn, TryLater
from bmn.identity import jwks, roles
from bmn.identity.development import DEV_ISSUER, development_secret, mint_development_token
from bmn.identity.tokens import Authenticator
from bmn.settings import DEV_USER_ID, load_settings
from tests.kit.people import ANA
from tests.kit.processes import PATIENCE
from tests.kit.tokens import SECRET, SECRET_KEY, Project, _jwk


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    project = Project()
    with project.serving():
        yield project


@pytest.fixture
async def auth(project: Project, home: Path) -> AsyncIterator[Authenticator]:
    authenticator = Authenticator(load_settings(**project.settings()))
    yield authenticator
    await authenticator.close()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "HS256"])
async def test_a_good_token_names_its_user(auth: Authenticator, project: Project, algorithm: str) -> None:
    principal = await auth.verify(project.token(algorithm=algorithm))
    assert (principal.user_id, principal.email, principal.role) == (ANA, "ana@example.org", "user")


async def test_every_forgery_is_refused_with_the_same_words(auth: Authenticator, project: Project) -> None:
    forgeries = project.forgeries()
    assert len(forgeries) >= 50
    answers = {}
    for name, token in forgeries.items():
        with pytest.raises(NotSignedIn) as refusal:
            await auth.verify(token)
        answers[name] = (refusal.value.message, refusal.value.hint, *refusal.value.extra)
    assert set(answers.values()) == {("Authentication failed: invalid token", None)}


async def test_no_token_says_so(auth: Authenticator) -> None:
    with pytest.raises(NotSignedIn, match="Authentication required: no token provided"):
        await auth.verify("")


async def test_a_clock_half_a_minute_off_is_forgiven(auth: Authenticator, project: Project) -> None:
    now = project.claims()["iat"]
    assert (await auth.verify(project.token(exp=now - 20))).user_id == ANA
    assert (await auth.verify(project.token(iat=now + 20))).user_id == ANA


@pytest.mark.parametrize("role", ["admin", "service"])
async def test_a_role_counts_only_where_the_user_cannot_write_it(
    auth: Authenticator, project: Project, role: str
) -> None:
    assert (await auth.verify(project.token(app_metadata={"role": role}))).role == role
    for claims in ({"user_metadata": {"role": role}}, {"app_metadata": {"role": [role]}}, {"app_metadata": "admin"}):
        assert (await auth.verify(project.token(**claims))).role == "user"


@pytest.fixture
async def asking(project: Project, home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Authenticator]:
    """One that asks the project about admins, each time."""
    monkeypatch.setattr(roles, "_BELIEVED_SECONDS", 0.0)
    authenticator = Authenticator(load_settings(**project.settings(), supabase_secret_key=SECRET_KEY))
    yield authenticator
    await authenticator.close()
    project.users, project.status = {}, 200


async def test_a_role_that_was_taken_away_is_gone_whatever_the_token_says(
    asking: Authenticator, project: Project
) -> None:
    token = project.token(app_metadata={"role": "admin"})
    project.users = {ANA: {"app_metadata": {"role": "admin"}}}
    assert (await asking.verify(token)).role == "admin"
    project.users = {ANA: {"app_metadata": {}, "user_metadata": {"role": "admin"}}}
    assert (await asking.verify(token)).role == "user"
    project.users = {ANA: {"app_metadata": {"role": "admin"}, "banned_until": "2999-01-01T00:00:00Z"}}
    await _refused(asking, [token])
    project.users = {ANA: {"app_metadata": {"role": "admin"}, "banned_until": "2001-01-01T00:00:00Z"}}
    assert (await asking.verify(token)).role == "admin"
    project.users = {}
    await _refused(asking, [token])


async def test_while_the_project_cannot_be_asked_its_last_answer_stands(
    asking: Authenticator, project: Project
) -> None:
    token = project.token(app_metadata={"role": "admin"})
    project.users = {ANA: {"app_metadata": {"role": "admin"}}}
    assert (await asking.verify(token)).role == "admin"
    project.status = 503
    assert (await asking.verify(token)).role == "admin"
    project.status, project.users = 200, {ANA: {"app_metadata": {}}}
    assert (await asking.verify(token)).role == "user"
    project.status = 503
    assert (await asking.verify(token)).role == "user"


async def test_nobody_asks_about_an_ordinary_user(asking: Authenticator, project: Project) -> None:
    await asking.verify(project.token(email="first@example.org"))
    before = project.requests
    assert (await asking.verify(project.token(email="third@example.org"))).role == "user"
    assert project.requests == before


async def test_a_token_seen_before_still_ends_with_its_own_time(auth: Authenticator, project: Project) -> None:
    token = project.token(exp=project.claims()["iat"] - 28)
    await auth.verify(token)
    with pytest.raises(NotSignedIn):
        async with asyncio.timeout(PATIENCE):
            while await auth.verify(token):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_without_a_secret_no_shared_secret_token_is_taken(project: Project, home: Path) -> None:
    auth = Authenticator(load_settings(supabase_url=project.url))
    with pytest.raises(NotSignedIn):
        await auth.verify(project.token(algorithm="HS256"))
    await auth.close()


async def test_a_secret_alone_takes_tokens_of_a_supabase_project_only(home: Path) -> None:
    project = Project()
    auth = Authenticator(load_settings(supabase_jwt_secret=SECRET))
    assert (await auth.verify(project.token(algorithm="HS256"))).user_id == ANA
    for token in (project.token(algorithm="HS256", iss="supabase"), project.token(algorithm="ES256")):
        with pytest.raises(NotSignedIn):
            await auth.verify(token)


async def test_a_flood_of_unknown_keys_costs_one_request_in_half_a_minute(
    project: Project, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = Authenticator(load_settings(**project.settings()))
    await auth.verify(project.token())
    before = project.requests
    forged = [
        jwt.encode(project.claims(), project.ec_key, algorithm="ES256", headers={"kid": f"new-{n}"}) for n in range(20)
    ]
    monkeypatch.setattr(jwks, "_REFRESH_SECONDS", 0.0)
    await _refused(auth, forged[:1])
    assert project.requests == before + 1
    monkeypatch.setattr(jwks, "_REFRESH_SECONDS", 30.0)
    await _refused(auth, forged)
    assert project.requests == before + 1
    await auth.close()


async def test_a_rotated_key_is_taken_and_a_withdrawn_one_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, other = Project(), Project()
    monkeypatch.setattr(jwks, "_REFRESH_SECONDS", 0.0)
    with project.serving():
        auth = Authenticator(load_settings(**project.settings()))
        old = project.token()
        await auth.verify(old)
        project.keys = [_jwk(other.ec_key, "ec-2")]
        new = jwt.encode(project.claims(), other.ec_key, algorithm="ES256", headers={"kid": "ec-2"})
        assert (await auth.verify(new)).user_id == ANA
        await _refused(auth, [project.token(email="later@example.org")])
        await auth.close()


async def test_a_key_that_is_renewed_under_its_id_is_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, other = Project(), Project()
    monkeypatch.setattr(jwks, "_REFRESH_SECONDS", 0.0)
    with project.serving():
        auth = Authenticator(load_settings(**project.settings()))
        await auth.verify(project.token())
        key_id = jwt.get_unverified_header(project.token())["kid"]
        project.keys = [_jwk(other.ec_key, key_id)]
        renewed = jwt.encode(project.claims(), other.ec_key, algorithm="ES256", headers={"kid": key_id})
        assert (await auth.verify(renewed)).user_id == ANA
        await _refused(auth, [project.token(email="later@example.org")])
        await auth.close()


@pytest.mark.parametrize("answer", [(503, None), (200, b"<html>"), (200, b'{"keys": []}'), (200, b"x" * 70_000)])
async def test_the_last_good_keys_serve_while_the_key_address_is_unwell(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes | None]
) -> None:
    project = Project()
    monkeypatch.setattr(jwks, "_REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "_FRESH_SECONDS", 0.0)
    with project.serving():
        auth = Authenticator(load_settings(**project.settings()))
        await auth.verify(project.token())
        project.status, project.body = answer
        before = project.requests
        assert (await auth.verify(project.token(email="second@example.org"))).user_id == ANA
        assert project.requests == before + 1
        monkeypatch.setattr(jwks, "_KEPT_SECONDS", 0.0)
        with pytest.raises(TryLater):
            await auth.verify(project.token(email="third@example.org"))
        await auth.close()


async def test_keys_that_were_never_reachable_are_no_reason_to_call_a_user_a_forger(home: Path) -> None:
    project = Project()
    auth = Authenticator(load_settings(supabase_url="http://127.0.0.1:9"))
    project.url = "http://127.0.0.1:9"
    with pytest.raises(TryLater):
        await auth.verify(project.token())
    await auth.close()


async def test_a_development_token_is_taken_by_the_server_of_its_home(home: Path) -> None:
    settings = load_settings()
    token = mint_development_token(settings, role="admin")
    principal = await Authenticator(settings).verify(token)
    assert (principal.user_id, principal.role) == (DEV_USER_ID, "admin")
    assert stat.S_IMODE((home / "dev-secret").stat().st_mode) == 0o600


async def test_a_development_token_is_nothing_to_a_real_project(home: Path, project: Project) -> None:
    token = mint_development_token(load_settings())
    real = load_settings(**project.settings())
    auth = Authenticator(real)
    await _refused(auth, [token, project.token(algorithm="HS256", iss=DEV_ISSUER)])
    with pytest.raises(NotAllowed):
        mint_development_token(real)
    with pytest.raises(NotAllowed):
        mint_development_token(load_settings(bmn_env="production"))
    await auth.close()


def test_two_processes_that_start_at_once_share_one_secret(home: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: development_secret(load_settings()), range(64)))
    assert len(secrets) == 1
    assert [path.name for path in home.iterdir()] == ["dev-secret"]


async def _refused(auth: Authenticator, tokens: list[str]) -> None:
    for token in tokens:
        with pytest.raises(NotSignedIn):
            await auth.verify(token)
