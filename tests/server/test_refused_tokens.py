"""Why a token was refused: one line a minute for operators, and doctor's look at the settings that decide it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from bmn.errors import NotSignedIn
from bmn.identity.pair import problems, token_problem
from bmn.identity.tokens import Authenticator
from bmn.settings import load_settings
from tests.kit.people import ANA
from tests.kit.tokens import SECRET, Project

SELF_HOSTED = "http://localhost:8000/auth/v1"


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    project = Project()
    with project.serving():
        yield project


async def refused(auth: Authenticator, *tokens: str) -> None:
    for token in tokens:
        with pytest.raises(NotSignedIn, match="invalid token"):
            await auth.verify(token)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    text = "".join(capsys.readouterr())
    return [line for line in text.splitlines() if "token_refused" in line]


async def test_an_issuer_of_its_own_is_taken_where_it_is_named(home: Path, project: Project) -> None:
    for issuers in (SELF_HOSTED, f"{SELF_HOSTED}/", f"https://old.example/auth/v1, {SELF_HOSTED}"):
        auth = Authenticator(load_settings(**project.settings(), supabase_jwt_issuer=issuers))
        for issuer in (SELF_HOSTED, f"{SELF_HOSTED}/"):
            assert (await auth.verify(project.token(iss=issuer))).user_id == ANA
        await refused(auth, project.token(), project.token(iss="https://evil.example/auth/v1"))
        await auth.close()


async def test_a_refusal_is_said_once_a_minute_with_its_reason(
    home: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = Authenticator(load_settings(**project.settings()))
    await refused(auth, *(project.token(iss=SELF_HOSTED, email=f"{n}@example.org") for n in range(20)))
    [line] = said(capsys)
    assert SELF_HOSTED in line
    assert "SUPABASE_JWT_ISSUER" in line
    assert project.issuer in line
    auth._refused._said.clear()  # a minute later
    await refused(auth, project.token(iss=SELF_HOSTED))
    assert re.search(r"refused\W+20", said(capsys)[0])
    await auth.close()


async def test_each_reason_is_named_and_nothing_of_the_user(
    home: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = Authenticator(load_settings(**project.settings()))
    now = project.claims()["iat"]
    other = "another-secret-of-the-right-length-for-this"
    tokens = {
        "issuer": project.token(iss=SELF_HOSTED),
        "expired": project.token(exp=now - 3600),
        "audience": project.token(aud="somebody"),
        "not_yet_valid": project.token(iat=now + 3600),
        "signature": jwt.encode(project.claims(), other, algorithm="HS256"),
        "algorithm": jwt.encode(project.claims(), other, algorithm="HS512"),
        "key": jwt.encode(project.claims(), project.ec_key, algorithm="ES256", headers={"kid": "unknown"}),
        "user": project.token(role="service_role"),
        "no_token": "sb_publishable_abc",
        "claim": project.token(iat=None),
        "too_long": project.token(user_metadata={"groups": ["a group of the company"] * 400}),
    }
    for reason, token in tokens.items():
        await refused(auth, token)
        [line] = said(capsys)
        assert re.search(rf"reason\W+{reason}\b", line), (reason, line)
        assert "ana@example.org" not in line
        assert ANA not in line
        assert token not in line
    await auth.close()


async def test_hostile_words_in_a_token_cannot_forge_a_line(
    home: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = Authenticator(load_settings(**project.settings()))
    await refused(auth, project.token(iss="x\n\x1b[31m token_refused " + "y" * 5000))
    [line] = said(capsys)
    assert "\x1b[31m token" not in line
    assert len(line) < 2000
    await auth.close()


def found(**settings: object) -> str:
    return "; ".join(message for message, _ in problems(load_settings(**settings)))


def test_doctor_sees_what_does_not_belong_together(home: Path, project: Project) -> None:
    assert found() == ""
    assert found(**project.settings()) == ""
    old_key = jwt.encode({"iss": "supabase", "ref": "abc", "role": "anon"}, SECRET, algorithm="HS256")
    assert found(**project.settings(), supabase_publishable_key=old_key) == ""
    other = {**project.settings(), "supabase_jwt_secret": "another-secret-of-the-right-length-for-this"}
    assert "not the one that signed SUPABASE_PUBLISHABLE_KEY" in found(**other, supabase_publishable_key=old_key)
    assert "cannot be read" in found(supabase_url="http://127.0.0.1:9")
    keys, project.keys = project.keys, []
    assert "no public keys" in found(supabase_url=project.url)
    assert found(supabase_url=project.url, supabase_jwt_secret=SECRET) == ""
    project.keys = keys
    project.body = json.dumps({"issuer": SELF_HOSTED, "keys": []}).encode()
    assert f"issuer {SELF_HOSTED}" in found(**project.settings())
    assert found(**project.settings(), supabase_jwt_issuer=SELF_HOSTED) == ""
    project.body = None


async def test_doctor_says_why_a_token_would_be_refused(home: Path, project: Project) -> None:
    settings = load_settings(**project.settings())
    assert await token_problem(settings, project.token()) is None
    problem = await token_problem(settings, project.token(iss=SELF_HOSTED))
    assert problem
    assert "issuer" in problem[0]
    assert "SUPABASE_JWT_ISSUER" in problem[1]
