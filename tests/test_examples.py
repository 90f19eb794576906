"""The programs of examples/, run as their first lines say, against one `bmn serve`."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bmn.identity.development import mint_development_token
from bmn.settings import Settings
from tests.kit.driver import NODE, why_not
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import Stack, start
from tests.kit.terminal import BMN, environment

_EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    queues = ("--queues", "logo-generation,mockup-generation,image-upload,webhook-delivery")
    running = start(tmp_path_factory.mktemp("examples"), "--port", "0", *queues)
    try:
        yield running
    finally:
        running.stop()


def run(stack: Stack, folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """As somebody else's script would be run: in a folder of its own, with what `bmn serve` printed."""
    token = mint_development_token(Settings(bmn_home=stack.home))
    path = f"{Path(BMN).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**stack.env, "BMN_API_URL": stack.api_url, "BMN_TOKEN": token, "PATH": path}
    return subprocess.run(
        command, cwd=folder, env=environment(variables), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def pictures(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.png"))
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found)
    return found


def test_python_follows_a_job_and_saves_its_pictures(stack: Stack, tmp_path: Path) -> None:
    done = run(stack, tmp_path, sys.executable, str(_EXAMPLES / "follow_a_job.py"), "Acme Coffee", "logos")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "job:complete" in done.stdout
    assert len(pictures(tmp_path / "logos")) == 2


def test_curl_alone_is_enough(stack: Stack, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    done = run(stack, tmp_path, str(_EXAMPLES / "submit.sh"), "Acme Tea", "logos")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 %  2 logos generated" in done.stdout
    assert len(pictures(tmp_path / "logos")) == 2


@pytest.mark.node
def test_javascript_hears_everything_through_a_break(stack: Stack, tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    shutil.copy(_EXAMPLES / "live.mjs", tmp_path)
    done = run(stack, tmp_path, "node", "live.mjs", "Acme Cocoa")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "back, recovered: true" in done.stdout
    assert done.stdout.count("/files/brands/") == 2


def test_a_script_decides_by_exit_codes(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "brands.txt").write_text("First\nSecond\n")
    done = run(stack, tmp_path, str(_EXAMPLES / "nightly.sh"), "brands.txt", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(pictures(tmp_path / "out")) == 2
    stack.fault(provider="bfl", moderate=1)
    (tmp_path / "brands.txt").write_text("Third\n")
    done = run(stack, tmp_path, str(_EXAMPLES / "nightly.sh"), "brands.txt", "out")
    stack.mend()
    assert (done.returncode, done.stdout) == (0, "Third: refused by the provider, other words are needed\n")


def test_a_script_is_told_when_nobody_answers(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "brands.txt").write_text("First\n")
    away = Stack(stack.home, "http://127.0.0.1:9", "", stack.process)
    done = run(away, tmp_path, str(_EXAMPLES / "nightly.sh"), "brands.txt", "out")
    assert done.returncode == 75, done.stdout + done.stderr


@pytest.fixture(params=["backend.py", pytest.param("backend.mjs", marks=pytest.mark.node)])
def backend(stack: Stack, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a back end that runs."""
    program = str(request.param)
    shutil.copy(_EXAMPLES / program, tmp_path)
    if program.endswith(".mjs"):
        if not (NODE / "node_modules" / "standardwebhooks").is_dir():
            pytest.skip(why_not() or "standardwebhooks is missing; run `npm ci` in tests/node")
        (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = mint_development_token(Settings(bmn_home=stack.home))
    env = environment({"BMN_API_URL": stack.api_url, "BMN_TOKEN": token, "PORT": str(port)})
    command = [sys.executable, program] if program.endswith(".py") else ["node", program]
    process = subprocess.Popen(command, cwd=tmp_path, env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/heard", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_back_end_submits_hears_of_the_end_and_hands_a_token_out(stack: Stack, backend: str) -> None:
    with httpx.Client(base_url=backend, timeout=PATIENCE, trust_env=False) as page:
        begun = page.post("/brands", json={"name": "Acme Juice"}).json()
        token = page.post(f"/brands/{begun['brandId']}/token").json()["token"]
        with httpx.Client(
            base_url=f"{stack.api_url}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as bmn:
            assert bmn.get(f"/jobs/{begun['jobId']}").status_code == 200
            assert bmn.post(f"/jobs/{begun['jobId']}/cancel").status_code == 403
            wait_until(lambda: f"job.completed {begun['jobId']}" in page.get("/heard").json())
            logo = bmn.get(f"/brands/{begun['brandId']}/assets").json()["assets"][0]
        made = page.post(f"/brands/{begun['brandId']}/pick/{logo['id']}").json()
        wait_until(lambda: f"job.completed {made['jobId']}" in page.get("/heard").json())
        heard = page.get("/heard").json()
        assert len(heard) == len(set(heard)) == 2
        refused = page.post(f"/jobs/{made['jobId']}/cancel")
        assert refused.status_code == 409 and refused.json()["detail"], "the words of the refusal"
        forged = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
        assert page.post("/hook", json={"type": "job.completed"}, headers=forged).status_code == 401
        assert page.get("/heard").json() == heard


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text() + "front"  # which web/test/front.test.js runs
    programs = [path.name for path in _EXAMPLES.iterdir() if path.suffix != ".md"]
    assert len(programs) == 7
    assert all(name in here for name in programs)
    assert all(name in (_EXAMPLES / "README.md").read_text() for name in programs)
