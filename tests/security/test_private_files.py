"""What we write is its owner's alone, whichever command writes it."""

import os
import subprocess
from pathlib import Path

from tests.kit.processes import PATIENCE, wait_until
from tests.kit.terminal import BMN


def test_a_database_is_its_owners_alone(tmp_path: Path) -> None:
    env = {**os.environ, "BMN_HOME": str(tmp_path / "home")}
    subprocess.run([BMN, "db", "upgrade"], env=env, check=True, capture_output=True, umask=0o022, timeout=PATIENCE)
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert files and not [path for path in files if path.stat().st_mode & 0o077]


def test_a_worker_writes_for_its_owner_alone(tmp_path: Path, redis_server: str) -> None:
    """Its processes inherit what it has chosen for all files."""
    env = {**os.environ, "BMN_HOME": str(tmp_path), "REDIS_URL": redis_server}
    subprocess.run([BMN, "db", "upgrade"], env=env, check=True, capture_output=True, timeout=PATIENCE)
    command = [BMN, "worker", "logo-generation"]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, umask=0o022
    ) as worker:
        status = Path(f"/proc/{worker.pid}/status")
        wait_until(lambda: "Umask:\t0077" in status.read_text() or worker.poll() is not None)
        assert worker.poll() is None
        worker.terminate()
