"""What somebody who waits sees where the worker of their job dies: it is said once, and no bar moves back."""

import os
import signal

import pytest

from tests.kit.frames import frames, never_back
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import User, start
from tests.kit.terminal import on_terminal

pytestmark = pytest.mark.full

_LOST = "Its worker was lost; another one goes on."


def _busy(admin: User) -> list[int]:
    """The processes of workers that have told that they have a job."""
    return [row["pid"] for row in admin.json("workers")["workers"] if row["state"] == "busy"]


def test_a_lost_worker_is_said_once_and_no_bar_moves_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    pace = {"BMN_LEASE_SECONDS": "3", "BMN_RENEW_SECONDS": "1", "BMN_SWEEP_SECONDS": "0.5"}
    stack = start(tmp_path_factory.mktemp("lost"), "--port", "0", "--queues", "logo-generation", env=pace)
    try:
        user, admin = User(stack), User(stack, "admin")
        stack.fault(provider="bfl", op="poll", pending=True, skip=6)
        command = ("generate", "logos", "--brand", "Acme", "--count", "3")
        with on_terminal(*command, env={**user.env, "BMN_IMAGES": "none"}, fork=True) as terminal:
            terminal.wait_for(lambda text: "generating" in text)
            wait_until(lambda: _busy(admin))
            os.kill(_busy(admin)[0], signal.SIGKILL)
            terminal.wait_for(_LOST, PATIENCE)
            stack.mend()
            assert terminal.end() == 0
        assert terminal.text.count(_LOST) == 1
        never_back(frames(terminal.raw, 80, 40))
    finally:
        stack.stop()
