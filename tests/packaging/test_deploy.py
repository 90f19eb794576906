"""deploy/: units and manifests fit what reads them, and each of their commands runs as written."""

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bmn.server.state.metrics import Metrics
from bmn.settings.running import ProcessPlace
from bmn.work.queue_names import QUEUE_NAMES
from tests.kit.compose import ROOT, run_commands
from tests.kit.terminal import BMN
from tools import kubernetes

UNITS = ROOT / "deploy" / "systemd"
MANIFESTS = ROOT / "deploy" / "kubernetes"
DOCUMENTS: list[dict[str, Any]] = [
    document
    for file in sorted(MANIFESTS.glob("*.yaml"))
    if file.name != "kustomization.yaml"
    for document in yaml.safe_load_all(file.read_text())
]


def _commands_of_units() -> list[list[str]]:
    lines = [line for unit in UNITS.glob("*.service") for line in unit.read_text().splitlines()]
    starts = [shlex.split(line.removeprefix("ExecStart=")) for line in lines if line.startswith("ExecStart=")]
    return [[word.replace("%i", "all") for word in words[1:]] for words in starts]


def _pods() -> list[dict[str, Any]]:
    return [document["spec"]["template"]["spec"] for document in DOCUMENTS if document["kind"] in ("Deployment", "Job")]


# --- what reads them -----------------------------------------------------------------------------------------------------


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not here: the units were not verified by systemd")
    for unit in UNITS.iterdir():
        (tmp_path / unit.name).write_text(
            unit.read_text().replace("/opt/bmn/bin/bmn", BMN).replace("User=bmn", "User=root")
        )
    named = [str(tmp_path / unit.name.replace("@", "@all")) for unit in UNITS.iterdir()]
    for name in named:
        if "@all" in name:
            Path(name).symlink_to(name.replace("@all", "@"))
    found = subprocess.run([tool, "verify", "--man=no", *named], capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if "bmn" in line]
    assert (found.returncode, ours) == (0, []), found.stderr


def test_kustomize_takes_the_manifests() -> None:
    tool = shutil.which("kubectl")
    if tool is None:
        pytest.skip("kubectl is not here: the manifests were not put together by kustomize")
    done = subprocess.run([tool, "kustomize", str(MANIFESTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert sorted(each["kind"] for each in built) == sorted(each["kind"] for each in DOCUMENTS)
    assert {each["metadata"]["namespace"] for each in built} == {"bmn"}


def test_kubeconform_takes_the_manifests() -> None:
    tool = shutil.which("kubeconform")
    if tool is None:
        pytest.skip("kubeconform is not here: the manifests were held against the facts below alone")
    files = [str(file) for file in MANIFESTS.glob("*.yaml") if file.name != "kustomization.yaml"]
    subprocess.run([tool, "-strict", "-skip", "ScaledObject", *files], check=True)


# --- what the kinds take, from the reference of Kubernetes 1.32 and of KEDA 2.16 -----------------------------------------

_META = {"name", "labels", "annotations"}
_PROBE = {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"}
_KINDS: dict[str, tuple[str, set[str], set[str]]] = {  # apiVersion, required and optional fields of spec
    "Deployment": ("apps/v1", {"selector", "template"}, {"replicas", "strategy"}),
    "Job": ("batch/v1", {"template"}, {"backoffLimit"}),
    "Service": ("v1", {"ports"}, {"selector", "type"}),
    "PodDisruptionBudget": ("policy/v1", {"selector"}, {"minAvailable", "maxUnavailable"}),
    "NetworkPolicy": ("networking.k8s.io/v1", {"podSelector"}, {"policyTypes", "ingress", "egress"}),
    "ScaledObject": (
        "keda.sh/v1alpha1",
        {"scaleTargetRef", "triggers"},
        {"minReplicaCount", "maxReplicaCount", "cooldownPeriod"},
    ),
}
_POD = {
    "containers",
    "volumes",
    "securityContext",
    "restartPolicy",
    "automountServiceAccountToken",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
}
_CONTAINER = {
    "name",
    "image",
    "args",
    "ports",
    "envFrom",
    "resources",
    "securityContext",
    "volumeMounts",
    "lifecycle",
    "startupProbe",
    "readinessProbe",
    "livenessProbe",
}


def test_each_kind_has_the_fields_that_it_takes_and_no_other() -> None:
    for document in DOCUMENTS:
        kind = document["kind"]
        assert document["metadata"].keys() <= _META, document
        if kind == "ConfigMap":
            assert document.keys() == {"apiVersion", "kind", "metadata", "data"}
            assert all(isinstance(value, str) for value in document["data"].values())
            continue
        version, required, optional = _KINDS[kind]
        assert document.keys() == {"apiVersion", "kind", "metadata", "spec"}
        assert document["apiVersion"] == version
        assert required <= document["spec"].keys() <= required | optional, document["metadata"]["name"]
    for pod in _pods():
        assert pod.keys() <= _POD
        (container,) = pod["containers"]
        assert container.keys() <= _CONTAINER
        assert all(probe.keys() <= _PROBE for name, probe in container.items() if name.endswith("Probe"))
        assert all(isinstance(word, str) for word in container["args"]), container["args"]


# --- what they promise ---------------------------------------------------------------------------------------------------


def test_no_pod_may_write_to_its_root_or_gain_rights_and_workers_may_finish() -> None:
    for pod in _pods():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        if container["name"] == "worker":
            assert pod["terminationGracePeriodSeconds"] > 120


def test_every_deployment_has_a_budget_and_every_selector_finds_its_pods() -> None:
    labels = {
        document["metadata"]["name"]: document["spec"]["template"]["metadata"]["labels"]
        for document in DOCUMENTS
        if document["kind"] == "Deployment"
    }
    chosen = {
        document["metadata"]["name"]: document["spec"]["selector"]["matchLabels"]
        for document in DOCUMENTS
        if document["kind"] in ("Deployment", "PodDisruptionBudget")
    }
    assert labels.keys() == {"bmn-api", *(f"bmn-{queue}" for queue in QUEUE_NAMES)}
    assert chosen == labels


def test_workers_are_those_of_the_queues_and_are_scaled_by_a_figure_that_we_tell() -> None:
    assert kubernetes.TARGET.read_text() == kubernetes.workers(), "run: python -m tools.kubernetes"
    told = {family.name for family in Metrics(ProcessPlace()).registry.collect()}
    for document in DOCUMENTS:
        if document["kind"] == "ScaledObject":
            (trigger,) = document["spec"]["triggers"]
            assert trigger["metadata"]["query"].removeprefix("max(").partition("{")[0] in told


# --- the commands --------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_every_command_runs_as_written_in_production(tmp_path: Path, postgres_server: str) -> None:
    """Each once: the cluster's, and the units', whose workers are of all queues."""
    pods = [pod["containers"][0]["args"] for pod in _pods()]
    commands = [*_commands_of_units(), *(args for args in pods if args[0] != "worker"), ["worker", "logo-generation"]]
    assert all(args[1] in QUEUE_NAMES for args in pods if args[0] == "worker")
    unique = [list(words) for words in dict.fromkeys(map(tuple, commands))]
    home = tmp_path / "home"
    home.mkdir()
    run_commands(unique, [BMN], home, tmp_path, postgres_server)
