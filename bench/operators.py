"""What operators wait for with many ended jobs: `python -m bench.operators --ended 1000000`, on PostgreSQL.

A real server is asked for every page below /admin, and for what every listing command asks, one request at a time. Beside
what one waits for stands the processor time of the API's process and of PostgreSQL's, which neighbors disturb least.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg
from sqlalchemy import text

from bench.figures import percentile
from bench.plans import filled
from bench.rows import Size
from bench.stack import BenchServer, api_process, running_stack
from bmn.db.engine import Connection
from bmn.identity.development import mint_development_token
from bmn.settings import Settings
from tests.kit.postgres import running_postgres

_USER = "00000000-0000-4000-8000-000000000007"
_OPERATOR = "00000000-0000-4000-8000-0000000000ff"
_CAUSES = ("provider_overloaded", "provider_timeout", "provider_auth", "bug", "storage_failed", "worker_killed")
_DAY = 86_400
_REVEALED = "reveal=true&reason=a+bench"
_VIEWS = (
    "",
    *(f"?since={seconds}" for seconds in (3600, _DAY, 7 * _DAY)),
    "?by=queue",
    "?by=user",
    "?by=hour",
    "?state=failed",
    "?state=completed&by=user",
    "?queue=logo-generation",
    "?cause=bug",
    f"?text=harbor&{_REVEALED}",
    f"?text=nothing+like+it&{_REVEALED}",
    "?minCost=0.01",
    f"?user={_USER}",
    "?prefix=logo-generation-7f",
)
_PAGES = (
    *(f"/admin?span={span}" for span in ("hour", "day", "week")),
    *(f"/admin/jobs{view}" for view in _VIEWS),
    "/admin/dlq",
    "/admin/dlq?cause=bug",
    "/admin/bulk",
    "/admin/bulk/new?action=retry&state=failed",
    "/admin/audit",
    f"/admin/users/{_USER}",
    "/admin/jobs/{job}",
)
_ASKED = (
    *(f"/api/v1/admin/{what}" for what in ("overview", "incidents", "dlq", "dlq?cause=bug", "queues", "workers")),
    *(f"/api/v1/admin/{what}" for what in ("alerts", "audit", "bulk", "keys", "incidents/bug")),
    *(
        f"/api/v1/jobs?all=true{more}"
        for more in ("", "&state=failed", "&cause=bug", f"&text=harbor&{_REVEALED}", "&minCost=0.01")
    ),
    *(f"/api/v1/jobs/groups?all=true&by={by}" for by in ("cause", "queue", "user", "hour")),
    *(f"/api/v1/costs?all=true&by={by}" for by in ("kind", "provider", "user", "model")),
    "/api/v1/kits",
    "/api/v1/jobs/{job}",
    "/api/v1/jobs/{job}/why",
    "/api/v1/jobs/{job}/logs",
    "/metrics",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question asked often. Seconds. processor: of the server and its database, for one."""

    what: str
    p50: float
    p95: float
    processor: float


@dataclass(frozen=True, slots=True)
class Machinery:
    """The processes that answer: the API's, and those that PostgreSQL has for this database."""

    stack: BenchServer
    database: str

    def processor(self) -> float:
        """Seconds of processor time that they have had."""
        with psycopg.connect(self.database.replace("+psycopg", "")) as conn:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            theirs = [psutil.Process(pid) for (pid,) in conn.execute(query)]
        return sum(sum(each.cpu_times()[:2]) for each in (api_process(self.stack), *theirs))


def vary(conn: Connection) -> None:
    """What the filled rows lack: a user who can be asked for, and dead letters of several causes."""
    causes = ", ".join(f"'{cause}'" for cause in _CAUSES)
    one = f"(ARRAY[{causes}])[1 + mod(abs(hashtext({{}})), {len(_CAUSES)})]"
    conn.execute(text(f"UPDATE jobs SET cause = {one.format('id')} WHERE cause IS NOT NULL"))
    conn.execute(text(f"UPDATE dead_letters SET cause = {one.format('job_id')}"))
    for table in ("jobs", "generation_credits", "credit_ledger", "provider_calls", "brands", "dead_letters"):
        conn.execute(text(f"UPDATE {table} SET user_id = :new WHERE user_id = 'user-7'"), {"new": _USER})
    conn.execute(text("ANALYZE"))


def ask(machinery: Machinery, times: int) -> Iterator[Answer]:
    """Every question, by an operator. Raises SystemExit where one is refused."""
    stack = machinery.stack
    settings = Settings(bmn_home=stack.home)
    token = mint_development_token(settings, _OPERATOR, None, "admin")
    with httpx.Client(base_url=stack.url, timeout=120, follow_redirects=True) as browser:
        signed_in = browser.post(
            "/api/v1/session", json={"path": "/admin"}, headers={"Authorization": f"Bearer {token}"}
        )
        browser.get(signed_in.raise_for_status().json()["url"]).raise_for_status()
        bearer = {"Authorization": f"Bearer {token}"}
        found = browser.get("/api/v1/jobs?all=true&state=failed&limit=1", headers=bearer).json()
        job = found["jobs"][0]["jobId"]
        for path in (*_PAGES, *_ASKED):
            headers = {} if path.startswith("/admin") else bearer
            asked = path.replace("{job}", job)
            _time(browser, asked, headers, 1)  # what is asked for the first time is planned and read anew
            before = machinery.processor()
            seconds = _time(browser, asked, headers, times)
            took = (machinery.processor() - before) / times
            yield Answer(path, percentile(seconds, 0.5), percentile(seconds, 0.95), took)


def _time(browser: httpx.Client, path: str, headers: dict[str, str], times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        began = time.monotonic()
        answer = browser.get(path, headers=headers)
        seconds.append(time.monotonic() - began)
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ended", type=int, default=300_000)
    parser.add_argument("--waiting", type=int, default=2000)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as server:
        with filled(server, "operators", Size(options.ended, options.waiting, 2000), vary):
            pass
        with running_stack("--no-workers", DATABASE_URL=f"{server}/operators") as stack:
            print(f"{options.ended:,} ended jobs, {options.times} times each; ms: p50, p95, processor")
            for answer in ask(Machinery(stack, f"{server}/operators"), options.times):
                figures = " ".join(f"{each * 1000:7.0f}" for each in (answer.p50, answer.p95, answer.processor))
                print(f"{figures}  {answer.what}{'  over 300 ms' if answer.p95 > 0.3 else ''}", flush=True)


if __name__ == "__main__":
    main()
