"""A release of bmn as its users have it: a command, a home, an address. Nothing of its code is imported."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

# A lease that a busy machine can keep, and no limit that only people would meet.
PACE = {
    "BMN_LEASE_SECONDS": "120",
    "BMN_RENEW_SECONDS": "15",
    "BMN_SWEEP_SECONDS": "0.3",
    "BMN_REQUESTS_PER_MINUTE": "0",
    "BMN_GENERATIONS_PER_MINUTE": "0",
    "BMN_CREDITS_DEV_USER": "500",
}
T = TypeVar("T")
_PATIENCE = 500.0  # a busy machine may take its time; nothing here measures any

_BUSY = (69, 75)  # exit codes: nobody answers; try later


def until(ask: Callable[[], T], what: str, seconds: float = _PATIENCE) -> T:
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)


@dataclass(slots=True)
class OldServer:
    """A `bmn serve` that is ready."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def kill(self) -> None:
        """The whole tree at once, as when the machine loses its power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """In order: running jobs are handed back when their grace has ended."""
        self.process.terminate()
        self.process.wait(_PATIENCE)


@dataclass(slots=True)
class Release:
    """bmn: its executable. env: settings of every command of it, such as DATABASE_URL."""

    bmn: Path
    home: Path
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    _token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        here = {"BMN_HOME": str(self.home), "PORT": str(self.port), "TZ": "UTC"}
        return {**kept, **PACE, **here, **self.env, **extra}

    def run(self, *args: str) -> Any:
        """The document that a command prints. Raises RuntimeError with what it says where it fails.

        Where the server is too busy to answer in the command's own time, it is asked again.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            done = subprocess.run(
                [self.bmn, "--json", *args],
                env=self.environment(),
                cwd=self.home,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
            if not done.returncode:
                return json.loads(done.stdout) if done.stdout.strip() else None
            if done.returncode not in _BUSY or time.monotonic() > deadline:
                raise RuntimeError(f"bmn {' '.join(args)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")

    @contextlib.contextmanager
    def serving(self, *options: str, **env: str) -> Iterator[OldServer]:
        """`bmn serve` with its log in a file beside the home. What still runs at the end is stopped in order."""
        log = self.home.parent / f"serve-{time.time_ns()}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [self.bmn, "serve", *options],
                env=self.environment(**env),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        server = OldServer(process, self.url, log)
        try:
            until(lambda: process.poll() is not None or self._answers(), "bmn serve")
            if process.poll() is not None:
                raise RuntimeError(f"bmn serve ended: {log.read_text()}")
            yield server
        finally:
            if process.poll() is None:
                server.stop()
            server.kill()  # whatever is left of its group

    def _answers(self) -> bool:
        """Workers register a moment after the API answers; the file of addresses says that all of it is ready."""
        with contextlib.suppress(httpx.HTTPError):
            return (self.home / "serve.json").exists() and httpx.get(f"{self.url}/health/live").status_code == 200
        return False

    # --- what a user does ---------------------------------------------------------------------------------------------

    def submit(self, *words: str) -> str:
        """`bmn generate …`; the id of the job, which runs on."""
        answer = self.run("generate", *words, "--detach")
        return str((answer.get("jobs") or [answer])[0]["jobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.run("jobs", "show", job_id)
        return found

    def wait_for(self, job_id: str, *states: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def look() -> bool:
            with contextlib.suppress(httpx.TransportError):  # an API that is being replaced
                found.update(api.get(f"/api/v1/jobs/{job_id}").raise_for_status().json())
            return found.get("state") in states

        with self.api() as api:
            try:
                until(look, f"{job_id} in {states}")
            except TimeoutError as error:
                raise TimeoutError(f"{error}; it is {found.get('state')}: {found.get('message')}") from None
        return found

    def wait_until_quiet(self) -> None:
        """Until no job of any queue runs or waits, thumbnails and mails included. Dead letters wait for people."""

        def is_quiet() -> bool:
            queues = [queue for queue in self.run("queues", "list")["queues"] if queue["name"] != "dead-letter"]
            return not any(queue[count] for queue in queues for count in ("waiting", "active", "delayed"))

        until(is_quiet, "nothing runs or waits")

    def token(self) -> str:
        """Of the developer of this home; asked for once."""
        if not self._token:
            done = subprocess.run(
                [self.bmn, "token"],
                env=self.environment(),
                cwd=self.home,
                capture_output=True,
                text=True,
                check=True,
            )
            self._token = done.stdout.strip()
        return self._token

    def api(self, token: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=_PATIENCE, trust_env=False)
