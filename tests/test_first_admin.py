"""How the first admin is made, typed as docs/operations.md prints it: in production, PostgreSQL, a Redis with a password."""

import os
import re
import stat
import subprocess
from pathlib import Path

import httpx
import pytest
from psycopg import connect

from tests.kit.compose import api_in_production
from tests.kit.processes import PATIENCE
from tests.kit.terminal import BMN

pytestmark = pytest.mark.full

_PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
_SECTION = "## How the first admin is made"
_KEY = re.compile(r"bmn_live_[\w-]+")


def printed() -> list[str]:
    """The command lines of the section."""
    section = _PAGE.read_text().split(_SECTION, 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)[0].splitlines()
    assert len(lines) > 5
    return lines


def environments() -> bytes:
    """The variables and the command line of every process that we may look at."""
    found = b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                found += (process / name).read_bytes()
            except OSError:
                continue  # gone meanwhile, or somebody else's
    return found


def everything(database: str) -> str:
    with connect(database.replace("+psycopg", "")) as conn:
        tables = conn.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        names = [name for (name,) in tables.fetchall()]
        return "\n".join(str(conn.execute(f'SELECT t::text FROM "{name}" AS t').fetchall()) for name in names)


@pytest.mark.timeout(400)
def test_the_section_is_carried_out_as_printed(tmp_path: Path, postgres_server: str) -> None:
    with api_in_production([BMN], tmp_path, postgres_server) as (env, address):
        desk = tmp_path / "desk"
        desk.mkdir()
        config = desk / "config"
        variables = {
            **env,
            "PATH": f"{Path(BMN).parent}{os.pathsep}{os.environ['PATH']}",
            "SERVER": address,
            "XDG_CONFIG_HOME": str(config),
            "LANG": "C.UTF-8",
        }
        keys: list[str] = []
        said = ""
        for line in printed():
            command = ["bash", "-o", "pipefail", "-c", line]
            done = subprocess.run(
                command, cwd=desk, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            if (desk / "admin.key").exists() and not keys:
                assert stat.S_IMODE((desk / "admin.key").stat().st_mode) == 0o600
                keys += _KEY.findall((desk / "admin.key").read_text())
            if "bmn keys create --role operator" in line:
                keys += _KEY.findall(done.stdout)
                assert f"live: production, {address}" in done.stderr
            said = done.stdout
        admin, operator = keys
        assert "first-admin" in said and "a new deployment" in said and "the rota" in said
        assert not (desk / "admin.key").exists()
        assert stat.S_IMODE((config / "bmn" / "profiles.json").stat().st_mode) == 0o600
        as_admin, as_operator = ({"Authorization": f"Bearer {key}"} for key in (admin, operator))
        keys_url, queues_url = f"{address}/api/v1/admin/keys", f"{address}/api/v1/admin/queues"
        assert httpx.get(keys_url, headers=as_admin).status_code == 200
        assert [httpx.get(url, headers=as_operator).status_code for url in (keys_url, queues_url)] == [403, 200]
        # The text of a key is nowhere but where its holder keeps it.
        for place in (
            everything(f"{postgres_server}/bmn"),
            (tmp_path / "api.log").read_text(),
            environments().decode("latin-1"),
        ):
            assert place
            assert not any(key in place or key[len("bmn_live_") + 12 :] in place for key in keys)
