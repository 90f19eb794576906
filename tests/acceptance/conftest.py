"""One running system that most criteria share, recordings of jobs on it, and the table of the 38 at the end."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.recordings import Death, Recording
from tests.acceptance.world import Dashboard, FrontEnd, Person, ended, in_a_loop, of_job, serve
from tests.kit.driver import why_no_page, why_not
from tests.kit.stack import Stack

_NUMBER = re.compile(r"test_ac_(\d\d)_")
_rows: dict[int, dict[str, str]] = {}


# --- one system, two server processes ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nine workers, Redis, the sandbox and a server. Nobody kills anything here."""
    running = serve(tmp_path_factory.mktemp("shared"))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def second(stack: Stack) -> Iterator[Stack]:
    """Another server process of the same system."""
    running = serve(stack.home, "--no-workers")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A system without a worker: what is submitted here waits."""
    running = serve(tmp_path_factory.mktemp("idle"), "--no-workers")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Any]:
    """Starts systems that a test may kill: `private("--queues", "logo-generation")`, again and again in one home."""
    started: list[Stack] = []

    def run(*arguments: str, **env: str) -> Stack:
        started.append(serve(tmp_path, *arguments, **env))
        return started[-1]

    yield run
    for running in started:
        running.process.kill()
        running.process.wait()


@pytest.fixture(scope="session")
def node() -> None:
    """For whatever needs the official JavaScript client; skips by name where it is not there."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def page(node: None) -> None:
    """For whatever needs the React hooks of web/."""
    if reason := why_no_page():
        pytest.skip(reason)


@pytest.fixture
async def front_end(node: None) -> AsyncIterator[FrontEnd]:
    async with FrontEnd() as opened:
        yield opened


@pytest.fixture
def person(stack: Stack) -> Person:
    return Person(stack)


@pytest.fixture
def admin(stack: Stack) -> Person:
    return Person(stack, "admin")


@pytest.fixture(scope="session")
def dashboard(stack: Stack) -> Dashboard:
    return Dashboard(Person(stack, "admin"))


# --- recordings that several criteria look at --------------------------------------------------------------------------


@pytest.fixture(scope="session")
def logos(stack: Stack, node: None) -> Recording:
    """Four logos, watched from the 202 to the end by somebody who joined the job's room."""
    person = Person(stack)
    brand = person.brand()

    async def record() -> Recording:
        async with FrontEnd() as opened:
            client = await opened.join(person)
            answer = person.post("/generation/logos", {"brandId": brand.id})
            await client.ask("job:join", {"jobId": answer["jobId"]})
            await opened.until(lambda: ended(client, answer["jobId"]))
            heard = [(said["event"], said["args"][0], said["at"]) for said in client.events()]
            return Recording(person, brand, [answer["jobId"]], answer, heard)

    return in_a_loop(record)


@pytest.fixture(scope="session")
def mockups(logos: Recording) -> Recording:
    """Three products of the same brand, watched by somebody who joined the brand's room."""
    person, brand = logos.person, logos.brand
    logo_url = logos.data("job:complete")[0]["result"]["logos"][0]["url"]
    products = [
        {"productId": item["id"], "productName": item["name"], "productCategory": item["category"]}
        for item in person.get("/products")["products"][:3]
    ]

    async def record() -> Recording:
        async with FrontEnd() as opened:
            client = await opened.join(person)
            await client.ask("brand:join", {"brandId": brand.id})
            body = {"brandId": brand.id, "products": products, "logoUrl": logo_url}
            answer = person.post("/generation/mockups", body)
            ids = [job["jobId"] for job in answer["jobs"]]
            await opened.until(lambda: all(ended(client, job_id) for job_id in ids))
            heard = [(said["event"], said["args"][0], said["at"]) for said in client.events()]
            return Recording(person, brand, ids, answer, heard)

    return in_a_loop(record)


@pytest.fixture(scope="session")
def death(stack: Stack, node: None) -> Death:
    person, admin = Person(stack), Person(stack, "admin")
    brand = person.brand()

    async def record() -> Death:
        async with FrontEnd() as opened:
            client, watch = await opened.join(person), await opened.join(admin, "/admin")
            stack.fault(provider="bfl", match=brand.name, status=503)
            job_id = person.order_logos(brand, 1)
            await client.ask("job:join", {"jobId": job_id})
            await opened.until(lambda: ended(client, job_id))
            await opened.until(lambda: of_job(watch, job_id, "system:error"))
            stack.mend()
            alarms = of_job(watch, job_id, "system:error")
            return Death(person, brand, job_id, of_job(client, job_id, "job:failed"), alarms)

    return in_a_loop(record)


# --- the table ---------------------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each criterion's own words go along with its result."""
    for item in items:
        if _NUMBER.search(item.nodeid) and item.path.parent == Path(__file__).parent:
            words = str(item.obj.__doc__).splitlines()[0]
            item.user_properties.append(("criterion", words))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    told: dict[str, Any] = dict(report.user_properties)
    if "criterion" not in told or (report.when != "call" and report.passed):
        return
    found = _NUMBER.search(report.nodeid)
    assert found
    result = {"passed": "holds", "skipped": "not run"}.get(report.outcome, "FAILS")
    if report.skipped and isinstance(report.longrepr, tuple):
        result += f": {report.longrepr[2].removeprefix('Skipped: ')}"
    _rows[int(found[1])] = {**told, "result": result}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _rows:
        return
    terminalreporter.section("acceptance criteria")
    for number, row in sorted(_rows.items()):
        figures = f"  ({row['figures']})" if "figures" in row else ""
        terminalreporter.line(f"AC-{number:<3} {row['criterion']:<88} {row['result']}{figures}")
    held = sum(row["result"] == "holds" for row in _rows.values())
    terminalreporter.line(f"{held} of {len(_rows)} hold")
