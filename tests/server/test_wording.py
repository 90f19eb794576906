"""What is wrong with a request is said in words of the request, never of Python."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from bmn.schemas import events, payloads, requests
from bmn.schemas.base import Model
from bmn.schemas.wording import flaws

WRONG: tuple[Any, ...] = (None, True, 5, -5, 10**30, 1.5, float("nan"), "", "x", "x" * 5000, "a\0b", "\ud800", b"x")
WRONG += ([], [1], ["x"] * 500, {}, {"x": 1})
PYTHON = re.compile(
    r"Input should|Value |String |List |Dictionary|dict|instance|NoneType|Extra inputs|UUID|hexadecimal|items"
)
MODELS = {
    f"{module.__name__}.{name}": model
    for module in (requests, payloads, events)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, Model) and model.model_fields
}


def wrong_bodies(model: type[BaseModel]) -> list[Any]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*WRONG, *({name: value} for name in [*names, "unheardOf"] for value in WRONG)]


@pytest.mark.parametrize("name", MODELS)
def test_every_field_says_what_is_wrong_in_plain_words(name: str) -> None:
    seen: dict[str, str] = {}
    for body in wrong_bodies(MODELS[name]):
        try:
            MODELS[name].model_validate(body)
        except ValidationError as error:
            seen |= {flaw.words: flaw.kind for flaw in flaws(error)}
        except ValueError as error:
            seen |= {str(error): "ValueError"}
    assert seen
    assert "cannot be used" not in seen, seen["cannot be used"]
    assert [words for words in seen if PYTHON.search(words)] == []


# Whose words reach operators only, or people on a development server who have just used a shell.
OPERATORS = {
    "bmn/server/operators/admin_ui.py",
    "bmn/server/operators/rq_dashboard.py",
    "bmn/server/answers/why.py",  # `jobs why` names commands
    "bmn/server/state/sessions.py",
    "bmn/server/state/siblings.py",
    "bmn/jobs/fleet.py",
    "bmn/jobs/probes.py",
    "bmn/server/pages/dev.py",
    "bmn/server/pages/signin_pages.py",
    "bmn/jobs/core.py",
    "bmn/identity/refused.py",  # who holds a key of ours is a program
    "bmn/server/pages/access.py",  # takes such a hint off a page
}
ROOT = Path(__file__).parents[2]


def test_no_answer_sends_an_end_user_to_a_shell() -> None:
    rooms = ("server", "jobs", "work", "events", "identity", "schemas")
    files = [path for room in rooms for path in (ROOT / "bmn" / room).rglob("*.py")] + [ROOT / "bmn/db/engine.py"]
    named = {str(path.relative_to(ROOT)) for path in files if "`bmn " in path.read_text()}
    assert named <= OPERATORS
