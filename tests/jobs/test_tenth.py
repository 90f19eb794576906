"""One generator more, and so a tenth queue, is a schema and a module, and no other file: added to a copy, it is there.

The copy is `bmn` itself with two files more; every process of the test imports it in place of the installed one.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters

import bmn as package
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import Stack, User, start
from tests.kit.terminal import BMN, Output, environment
from tests.kit.terminal import bmn as run_bmn

pytestmark = pytest.mark.full

_ROOT = Path(__file__).parents[2]
_SCHEMA = '''
"""Posters: a headline on a sheet."""

from typing import Literal

from pydantic import Field

from bmn.schemas.base import Name, Palette, Whole
from bmn.schemas.kind import BrandingBody, Kind
from bmn.schemas.payloads import BrandPayload

Paper = Literal["a3", "a2"]


class PosterGeneration(BrandPayload):
    headline: Name
    paper: Paper = "a3"
    margin: int = Field(10, ge=0, le=50)
    brand_name: Name
    color_palette: Palette


class PostersBody(BrandingBody):
    headline: Name = Field(description="What it says in large letters.")
    paper: Paper = "a3"
    margin: Whole = Field(10, ge=0, le=50, description="Millimeters around it.")
    brand_name: Name | None = None
    color_palette: Palette | None = None

    def accepted(self) -> str:
        return f"Poster started on {self.paper}."


KIND = Kind(
    name="posters",
    command="poster",
    queue="poster-generation",
    job_type="poster",
    text="Prints a headline on a sheet.",
    estimate_text="What a poster would ask for and cost.",
    label="Poster",
    noun="poster",
    payload=PosterGeneration,
    body=PostersBody,
    asset_type="poster",
)
'''
_MODULE = '''
"""Posters by FLUX."""

from bmn.jobs.context import Context, Result
from bmn.jobs.queue import Queue
from bmn.jobs.units import AttemptUnit
from bmn.providers.bfl import Bfl, ImageRequest, Task
from bmn.providers.images import verify_picture
from bmn.providers.prices import ModelPrice
from bmn.schemas.generators.posters import KIND, PosterGeneration
from bmn.work.generator import Generator
from bmn.work.making import Item, Made, Report, make_all


def _prompts(payload: PosterGeneration) -> list[str]:
    return [f'A poster by "{payload.brand_name}" that says "{payload.headline}", {payload.paper}.']


def _usd(price: ModelPrice, payload: PosterGeneration) -> float:
    return price.pixels(1024, 1024)


GENERATOR = Generator(
    kind=KIND,
    queue=Queue(
        name=KIND.queue, payload=KIND.payload, job_type=KIND.job_type, handler=__name__, credits=3,
        slots=2, timeout=120, priority=1, attempts=3, backoff=3, keep=(100, 100),
    ),
    provider="bfl", model="bfl_model", prompts=_prompts, usd=_usd,
)


async def run(ctx: Context[PosterGeneration]) -> Result:
    async def make(unit: AttemptUnit, report: Report) -> Made:
        bfl = ctx.client(Bfl)
        [prompt] = _prompts(ctx.payload)
        if unit.task_id and unit.polling_url:
            task = Task(unit.task_id, unit.polling_url, unit.usd)
        else:
            async with unit.paying({"prompt": prompt}, provider=bfl.provider):
                task = await bfl.submit(ImageRequest(prompt, seed=1))
            await unit.submitted(task.id, task.polling_url, usd=task.cost_usd)
        picture = await verify_picture(await bfl.collect(task, report))
        return Made(picture.data, picture.mime, bfl.maker(bfl.model), task.cost_usd)

    await make_all(ctx, [Item("poster", "Poster", "poster", make, {"headline": ctx.payload.headline})])
    return Result("Poster printed")
'''
_DISPATCH = """
import asyncio, sys
from bmn.jobs.submission import dispatch
from bmn.settings import load_settings
from bmn.work.wiring import open_core

async def main(user: str, brand: str) -> None:
    core = await open_core(load_settings(), "test")
    payload = {"userId": user, "brandId": brand, "headline": "Two", "brandName": "Acme", "colorPalette": ["#102030"]}
    print((await dispatch(core, "poster-generation", payload)).job_id)
    await core.close()

asyncio.run(main(*sys.argv[1:]))
"""


@dataclass(slots=True)
class Tenth:
    """A system whose package has one generator more. env: what makes a process import that package."""

    env: dict[str, str]
    stack: Stack
    user: User

    def bmn(self, *args: str) -> Output:
        return run_bmn(*args, env=self.env | self.user.env)

    def python(self, code: str, *args: str) -> str:
        command = [sys.executable, "-c", code, *args]
        env = environment(self.env | self.user.env)
        return subprocess.run(command, capture_output=True, text=True, env=env, check=True, cwd=_ROOT.parent).stdout

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.user.env['BMN_TOKEN']}"}
        answer = httpx.request(method, f"{self.stack.api_url}{path}", headers=headers, timeout=PATIENCE, **options)
        assert answer.is_success, answer.text
        return answer


@pytest.fixture(scope="module")
def tenth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenth]:
    folder = tmp_path_factory.mktemp("tenth")
    shutil.copytree(Path(package.__file__).parent, folder / "bmn")
    shutil.copy(_ROOT / "redis.conf", folder)
    (folder / "bmn/schemas/generators/posters.py").write_text(_SCHEMA)
    (folder / "bmn/work/generators/posters.py").write_text(_MODULE)
    env = {"PYTHONPATH": f"{folder}:{_ROOT}"}
    home = tmp_path_factory.mktemp("home")
    stack = start(home, "--port", "0", "--queues", "poster-generation,image-upload", env=env)
    try:
        yield Tenth(env, stack, User(stack))
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def made(tenth: Tenth, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `bmn generate poster` answers."""
    out = str(tmp_path_factory.mktemp("out"))
    done = tenth.bmn("generate", "poster", "--brand", "Acme", "--headline", "Sale", "--out", out, "--json")
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads(done.out)
    return document


def test_the_command_line_makes_it(tenth: Tenth, made: dict[str, Any]) -> None:
    assert (made["queueName"], made["state"], made["creditsCharged"]) == ("poster-generation", "completed", 3)
    [asset] = made["assets"]
    assert asset["type"] == "poster"
    assert Path(asset["file"]).stat().st_size > 1000
    assert Path(asset["file"]).name.startswith("acme-poster")


def test_its_options_are_the_fields_of_its_request(tenth: Tenth) -> None:
    assert "poster" in tenth.bmn("generate", "--help").out
    text = tenth.bmn("generate", "poster", "--help").out
    assert "Prints a headline on a sheet." in text
    for words in (
        "--headline TEXT",
        "What it says in large letters.",
        "--paper [a3|a2]",
        "0<=x<=50",
        "--color-palette",
    ):
        assert words in text
    assert tenth.bmn("generate", "poster", "--brand", "Acme").code == 2
    refused = tenth.bmn("generate", "poster", "--brand", "Acme", "--headline", "Sale", "--margin", "51")
    assert (refused.code, "--margin" in refused.err) == (2, True)


def test_a_dry_run_shows_its_prompt_and_its_price(tenth: Tenth) -> None:
    done = tenth.bmn(
        "generate", "poster", "--brand", "Acme", "--headline", "Sale", "--paper", "a2", "--dry-run", "--json"
    )
    estimate = json.loads(done.out)
    assert estimate["prompts"] == ['A poster by "Acme" that says "Sale", a2.']
    assert (estimate["credits"], estimate["usd"], estimate["sandboxed"]) == (3, 0.03, True)


async def test_an_agent_orders_it_by_its_fields(tenth: Tenth, made: dict[str, Any]) -> None:
    command = StdioServerParameters(command=BMN, args=["mcp"], env=environment(tenth.env | tenth.user.env))
    async with Client(command, read_timeout_seconds=PATIENCE) as agent:
        order = {"kind": "posters", "headline": "Sale", "paper": "a2"}
        priced = await agent.call_tool("estimate", {"brand": "Acme", "order": order})
        assert priced.structured_content["prompts"] == ['A poster by "Acme" that says "Sale", a2.']
        assert priced.structured_content["credits"] == 3
        refused = await agent.call_tool("estimate", {"brand": "Acme", "order": order | {"margin": 51}})
        assert refused.is_error and "order.posters.margin must be at most 50" in str(refused.content)


def test_the_api_has_its_routes(tenth: Tenth, made: dict[str, Any]) -> None:
    document = tenth.call("GET", "/openapi.json").json()
    assert {"/api/v1/generation/posters", "/api/v1/generation/posters/estimate"} <= set(document["paths"])
    assert "/api/v1/generation/posters" in tenth.call("GET", "/docs").text
    [brand] = tenth.call("GET", "/api/v1/brands").json()["brands"]
    body = {"brandId": brand["id"], "headline": "One"}
    answer = tenth.call("POST", "/api/v1/generation/posters", json=body, params={}).json()
    assert (answer["queueName"], answer["message"]) == ("poster-generation", "Poster started on a3.")
    assets = tenth.call("GET", f"/api/v1/brands/{brand['id']}/assets", params={"type": "poster"}).json()["assets"]
    assert made["assets"][0]["id"] in [asset["id"] for asset in assets]


def test_our_own_code_dispatches_it(tenth: Tenth, made: dict[str, Any]) -> None:
    [brand] = tenth.call("GET", "/api/v1/brands").json()["brands"]
    job_id = tenth.python(_DISPATCH, tenth.user.user_id, brand["id"]).split()[-1]
    assert job_id.startswith("poster-generation-")
    assert tenth.bmn("jobs", "watch", job_id).code == 0


def test_pages_call_it_by_its_name(tenth: Tenth, made: dict[str, Any]) -> None:
    shared = tenth.call("POST", f"/api/v1/jobs/{made['jobId']}/share", json={}).json()
    page = httpx.get(shared["url"]).text
    assert "Poster" in page
    assert "Poster 1 of Acme" in page


def test_metrics_and_records_count_it(tenth: Tenth, made: dict[str, Any]) -> None:
    done = 'bmn_jobs{queue="poster-generation",state="completed"}'
    wait_until(lambda: f"{done} 0" not in (text := tenth.call("GET", "/metrics").text) and done in text)
    with sqlite3.connect(tenth.stack.home / "bmn.sqlite3") as records:
        query = "SELECT job_type, status FROM generation_jobs WHERE job_id = ?"
        assert records.execute(query, (made["jobId"],)).fetchall() == [("poster", "complete")]


def test_the_table_of_the_documents_has_its_row(tenth: Tenth) -> None:
    rows = tenth.python("from tools import tables; print(tables.generators())")
    assert "| `/posters` | `brandId`, `headline`, `newBrand?`, `paper?` a3 / a2 (a3), `margin?` 0 to 50 (10)," in rows
    assert "| `poster-generation` | 3 a poster |" in rows
