"""What `ops/` ships, against a running server: Prometheus' rules and Grafana's board ask for nothing that is not there."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bmn.db.operators import alert_store, queue_store
from bmn.db.operators.alert_store import Trouble
from bmn.errors import CAUSES
from bmn.jobs.alert_finders import NEXT_STEPS
from bmn.schemas.payloads import JobState
from bmn.work.registry import QUEUES
from tests.kit.api import Api

OPS = Path(__file__).parents[2] / "ops"
RULES = OPS / "prometheus-rules.yml"
BOARD = OPS / "grafana-board.json"
_SELECTOR = re.compile(r"\b(bmn_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\bby\s*\(([^)]*)\)")
_LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
# What Prometheus itself adds to what it scrapes.
_OF_PROMETHEUS = {"instance", "job", "le"}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads(BOARD.read_text())["panels"]
    return panels


def _questions() -> list[tuple[str, str]]:
    """Each question to Prometheus, with the words that show its labels."""
    of_rules = [(rule["expr"], json.dumps(rule.get("annotations", {}))) for rule in _rules()]
    return of_rules + [(target["expr"], target["legendFormat"]) for panel in _panels() for target in panel["targets"]]


async def _shown(api: Api) -> dict[str, dict[str, set[str]]]:
    """What the server says once everything has happened to it: each name with its labels and their values."""

    def happen(conn: Any) -> None:
        alert_store.open_alert(conn, Trouble("waiting", "x", "wrong"))
        queue_store.set_paused(conn, "logo-generation", by="system", reason="x")

    await api.core.db.write(happen)
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as client:
        await client.get("/health")
        text = (await client.get("/metrics")).text
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(text):
        found.setdefault(family.name, {})
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


# Labels of figures that no job has filled yet, as `bmn.server.state.metrics` names them.
_LABELS = {
    "bmn_jobs_ended": {"queue", "state", "cause"},
    "bmn_job_duration_seconds": {"queue", "quantile"},
    "bmn_provider_usd": {"provider"},
}
_VALUES: dict[str, set[str]] = {
    "state": {state.value for state in JobState},
    "queue": set(QUEUES),
    "cause": {cause.value for cause in CAUSES},
    "kind": set(NEXT_STEPS),
    "quantile": {"0.5", "0.95"},
}


async def test_every_name_label_and_value_that_is_asked_for_is_there(api: Api) -> None:
    shown = await _shown(api)
    for question, words in _questions():
        selectors = _SELECTOR.findall(question)
        known: set[str] = set(_OF_PROMETHEUS)
        for name, inside in selectors:
            assert name in shown, f"{name} in {question}"
            labels = set(shown[name]) | _LABELS.get(name, set())
            known |= labels
            for label, _sign, value in _LABEL.findall(inside):
                assert label in labels | _OF_PROMETHEUS, f"{label} in {question}"
                for each in value.split("|") if label in _VALUES else ():
                    assert each in _VALUES[label], f"{each} in {question}"
        grouped = {label.strip() for found in _GROUPED.findall(question) for label in found.split(",")}
        assert grouped <= known, question
        assert set(_LEGEND.findall(words)) <= grouped | _OF_PROMETHEUS | {"value"}, question
    asked = {name for question, _ in _questions() for name, _ in _SELECTOR.findall(question)}
    assert len(asked) >= 10


def test_prometheus_own_tool_takes_the_rules() -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed; the other test looks at every name")
    done = subprocess.run([tool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_question_of_the_board_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed; the other test looks at every name")
    questions = [target["expr"] for panel in _panels() for target in panel["targets"]]
    rules = [{"record": f"board:question:{number}", "expr": text} for number, text in enumerate(questions)]
    path = tmp_path / "board.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    done = subprocess.run([tool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_board_is_one_that_grafana_can_take_in() -> None:
    board = json.loads(BOARD.read_text())
    assert board["uid"] == "bmn"
    assert board["schemaVersion"] >= 36
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) >= 10
    places = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & places, panel["title"]
        places |= cells
        assert panel["datasource"]["uid"] == "${datasource}"


def test_every_command_that_the_rules_name_is_one_of_ours() -> None:
    from bmn.cli.app import SECTIONS

    known = {name for section in SECTIONS.values() for name in section}
    named = set(re.findall(r"`bmn (\w+)", RULES.read_text()))
    assert named
    assert named <= known
