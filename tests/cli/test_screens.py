"""Whole outputs of every talking command, good, empty and failing, at 80 and 140 columns and in a pipe."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cli.conftest import Stack, User
from tests.cli.terminal import check_snapshot, stable

_PLACES = ("80", "140", "pipe")


@dataclass(frozen=True, slots=True)
class Scene:
    """One user with four jobs, one for each end that a job can take. names: job id -> what snapshots call it."""

    user: User
    names: dict[str, str]

    @property
    def ids(self) -> dict[str, str]:
        return {f"{{{name}}}": job_id for job_id, name in self.names.items()}


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Iterator[Scene]:
    """Oldest first: completed, failed (no answer but 503), partial (one refused), cancelled."""
    user = User(stack)
    user.json(
        "brands", "create", "Acme Coffee", "--style", "vintage", "--color", "#5A3825", "--vision", "slow mornings"
    )
    logos = ("generate", "logos", "--brand", "Acme Coffee", "--count", "2")
    ids = [user.json(*logos)["jobId"]]
    stack.fault(provider="bfl", op="submit", status=503)
    assert user.bmn(*logos).code == 1
    stack.mend()
    stack.fault(provider="bfl", moderate=1)
    assert user.bmn(*logos).code == 0
    stack.mend()
    stack.fault(provider="bfl", op="poll", pending=True)
    assert user.bmn(*logos, "--detach").code == 0
    assert user.bmn("jobs", "cancel", "last").code == 0
    assert user.bmn("jobs", "watch", "last").code == 8
    stack.mend()
    listed = user.json("jobs", "list")["jobs"]
    ids = [job["jobId"] for job in reversed(listed) if job.get("jobType")]
    assert len(ids) == 4
    yield Scene(user, dict(zip(ids, "abcd", strict=True)))


def _show(scene: Scene, command: str, place: str) -> str:
    """Exit code and output, with ids that keep their length and times that do not change."""
    args = [scene.ids.get(word, word) for word in shlex.split(command)]
    if place == "pipe":
        done = scene.user.bmn(*args)
        code, text = done.code, f"{done.out}--- stderr\n{done.err}"
    else:
        code, text = scene.user.seen_at(int(place), *args)
    names = {}
    for job_id, name in scene.names.items():
        bare = job_id.removeprefix("logo-generation-")
        names[bare] = name * 8 + "-0000-0000-0000-000000000000"
        names[bare[:8]] = name * 8
    text = stable(text, names)
    text = re.sub(r"\b(in )?(\d+ m )?\d+(\.\d)? [sm] ago\b|\bnow\b", "<ago>", text)
    text = re.sub(r"\b(\d+ m )?\d+(\.\d+)? s\b", "<span>", text)
    text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "<clock>", text)
    text = re.sub(r"\b\d+ of \d+ calls", "<n> of <n> calls", text)
    text = re.sub(r"\+ *<span>", "+<span>", text)
    text = re.sub(r"\n {9,}(?=\S)", " ", text)  # where a line is wrapped hangs on the length of a time
    text = re.sub(r"(?<=\S) {2,}(?=\S)", "  ", text)
    text = re.sub(r"^(bfl  )\d+", r"\1<calls>", text, flags=re.MULTILINE)
    text = re.sub(r"[0-9a-f]{32}\.(png|jpg|webp)", r"<name>.\1", text)
    text = text.replace(str(scene.user.stack.home), "<home>").replace(scene.user.user_id, "<user>")
    return f"$ bmn {command}  [exit {code}]\n{stable(text)}"


_COMMANDS = {
    "jobs-list-failed": "jobs list --state failed",
    "jobs-list-cause": "jobs list --cause moderated",
    "jobs-list-none": "jobs list --text nothing-like-this",
    "jobs-show-unknown": "jobs show 00000000",
    "jobs-why-completed": "jobs why {a}",
    "jobs-why-failed": "jobs why {b}",
    "jobs-why-partial": "jobs why {c}",
    "jobs-why-cancelled": "jobs why {d}",
    "jobs-count": "jobs count --queue logo-generation",
    "jobs-logs": "jobs logs {c}",
    "jobs-logs-none": "jobs logs {a}",
    "jobs-cancel-ended": "jobs cancel {a}",
    "jobs-cancel-nothing": "jobs cancel --no-input --state active",
    "jobs-cancel-which": "jobs cancel",
    "jobs-retry-done": "jobs retry {a}",
    "jobs-retry-bad-set": "jobs retry {b} --set logoStyle=baroque",
    "jobs-dlq-forbidden": "jobs dlq list",
    "brands-list": "brands list",
    "brands-show": 'brands show "acme coffee"',
    "brands-show-unknown": "brands show Nobody",
    "logos-list-none": "logos list --brand Nobody",
    "logos-select-too-many": 'logos select 9 --brand "Acme Coffee"',
    "credits": "credits",
    "credits-grant-forbidden": "credits grant 5",
    "queues-forbidden": "queues",
    "workers-forbidden": "workers",
    "costs": "costs --by provider",
    "products": "generate products",
    "generate-unknown-product": 'generate mockups --brand "Acme Coffee" --product submarine',
    "generate-bundle-too-early": 'generate bundle --brand "Acme Coffee"',
    "open-print": "open --print",
}


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("name", _COMMANDS)
def test_screen(scene: Scene, name: str, place: str) -> None:
    check_snapshot(f"{name}-{place}", _show(scene, _COMMANDS[name], place))


_EMPTY = {
    "jobs-list-empty": "jobs list",
    "jobs-last-empty": "jobs show last",
    "brands-list-empty": "brands list",
    "logos-list-empty": "logos list",
    "costs-empty": "costs",
    "credits-empty": "credits",
}


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("name", _EMPTY)
def test_screen_of_a_new_user(user: User, name: str, place: str) -> None:
    check_snapshot(f"{name}-{place}", _show(Scene(user, {}), _EMPTY[name], place))
