"""What /openapi.json says is so: every route gets what its schema allows and forbids, and answers as it says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit.processes import PATIENCE
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import BMN, environment

pytestmark = pytest.mark.full

_SECONDS = 90
# A validator is stricter than a schema can say: text without control characters, a cursor of ours, crm or email.
_UNASKED = "positive_data_acceptance"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start(tmp_path_factory.mktemp("contract"), "--no-workers", "--port", "0")
    yield running
    running.stop()


def _known(client: httpx.Client, home: Path) -> dict[str, str]:
    """Ids for path parameters, of things that are there: a brand with a logo, and the job that made it."""
    brand = client.post("/api/v1/brands", json={"name": "Acme"}).json()["id"]
    job = client.post("/api/v1/generation/logos", json={"brandId": brand, "count": 1}).json()["jobId"]
    command = [BMN, "worker", "logo-generation", "--burst"]
    subprocess.run(command, env=environment({"BMN_HOME": str(home)}), check=True, capture_output=True)
    made = client.get(f"/api/v1/jobs/{job}").json()
    assert made["state"] == "completed"
    (asset,) = made["assets"]
    waiting = client.post("/api/v1/generation/logos", json={"brandId": brand, "count": 1}).json()["jobId"]
    return {
        "brand_id": brand,
        "job_id": job,
        "asset_id": asset["id"],
        "key": asset["url"].partition("/files/")[2].partition("?")[0],
        "queue": "logo-generation",
        "bulk_id": client.post("/api/v1/bulk", json={"action": "cancel", "ids": [waiting]}).json()["id"],
        "kit_id": client.post("/api/v1/generation/kits", json={"brandId": brand, "count": 1}).json()["groupId"],
        "change": "pause",
        "token": client.post(f"/api/v1/jobs/{job}/share").json()["token"],
    }


def _narrowed(document: dict[str, Any], known: dict[str, str], user_id: str) -> dict[str, Any]:
    """The document with ids that exist, since a random one only ever finds nothing."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in known:
                    parameter["schema"] = {"enum": [known[parameter["name"]]]}
    ids = {"brandId": known["brand_id"], "userId": user_id}
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("Body", "Estimate", "Request")):
            for field in schema["properties"].keys() & ids.keys():
                optional = {"type": "null"} in schema["properties"][field].get("anyOf", ())
                schema["properties"][field] = {"enum": [ids[field], None] if optional else [ids[field]]}
    return document


def test_every_route_does_what_its_schema_says(stack: Stack, tmp_path: Path) -> None:
    admin = User(stack, role="admin")
    headers = {"Authorization": f"Bearer {admin.env['BMN_TOKEN']}"}
    with httpx.Client(base_url=stack.api_url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
        document = client.get("/openapi.json").json()
        narrowed = _narrowed(document, _known(client, stack.home), admin.user_id)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(narrowed))
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        str(path),
        *("--url", stack.api_url, "--header", f"Authorization: {headers['Authorization']}"),
        *("--phases", "coverage,fuzzing", "--max-examples", "3", "--seed", "1", "--max-time", str(_SECONDS)),
        *("--exclude-checks", _UNASKED, "--generation-database", "none", "--workers", "2", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    routes = sum(len(operations) for operations in narrowed["paths"].values())
    assert re.findall(r"(?:Selected|Tested): (\d+)", done.stdout) == [f"{routes}", f"{routes}"], done.stdout
