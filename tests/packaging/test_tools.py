"""The wheels as `uv tool install` and `pipx install` put them on a machine."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.kit.processes import PATIENCE
from tests.packaging.installations import ROOT, Distributions, Installation, install

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

BIN = Path(sys.executable).parent


def _makes_a_logo(bmn: Installation) -> None:
    made = bmn.run("generate", "logos", "--brand", "Acme", "--count", "1", "--out", str(bmn.folder), timeout=PATIENCE)
    assert made.code == 0, made
    assert len(list(bmn.folder.glob("*.png"))) == 1


def test_uv_installs_it_as_a_tool_with_the_sandbox_beside_it(distributions: Distributions, tmp_path: Path) -> None:
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin"), "UV_NO_CONFIG": "1"}
    pins = ("--constraints", str(ROOT / "requirements.txt"), "--constraints", str(ROOT / "requirements-sandbox.txt"))
    command = (BIN / "uv", "tool", "install", "--quiet", "--python", sys.executable, *pins)
    install(*command, "--with", distributions.sandbox, distributions.wheel, cwd=tmp_path, env=places)
    _makes_a_logo(Installation(tmp_path / "bin" / "bmn", tmp_path))


def test_pipx_installs_it_and_adds_the_sandbox_to_it(distributions: Distributions, tmp_path: Path) -> None:
    places = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PATH": _path_without_uv(tmp_path),
    }
    pins = f"--pip-args=-c {ROOT / 'requirements.txt'} -c {ROOT / 'requirements-sandbox.txt'}"
    install(BIN / "pipx", "install", "--python", sys.executable, pins, distributions.wheel, cwd=tmp_path, env=places)
    bmn = Installation(tmp_path / "bin" / "bmn", tmp_path)
    assert bmn.run("serve").code == 2
    install(BIN / "pipx", "inject", pins, "bmn", distributions.sandbox, cwd=tmp_path, env=places)
    _makes_a_logo(bmn)


def _path_without_uv(folder: Path) -> str:
    """pipx hands over to uv where it finds it; here it is pipx that is tried."""
    tools = folder / "path"
    tools.mkdir()
    for name in ("sh", "env"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    return str(tools)
