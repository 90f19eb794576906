"""`bmn mcp` as an agent meets it: the official client, over stdio and HTTP, in front of a whole `bmn serve`."""

import base64
import io
import json
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ImageContent, TextContent
from PIL import Image

from tests.kit.processes import PATIENCE
from tests.kit.stack import User
from tests.kit.terminal import BMN, environment

_WRITES = {"submit", "refine", "replay", "pick", "select", "cancel"}
_ONE_LOGO = {"kind": "logos", "count": 1}
_ONE_STEP = {"kind": "wizard", "step": "brand-identity"}
# One logo and one mug: $0.20 with the default models.
_SMALL_KIT = {"kind": "kit", "count": 1, "pick": 1, "products": ["mug"], "without": ["bundle", "video"]}


@dataclass(slots=True)
class Agent:
    """Somebody who calls tools. said: the progress that was told."""

    client: Client
    said: list[str] = field(default_factory=list)

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        async def note(_progress: float, _total: float | None, message: str | None) -> None:
            self.said.append(message or "")

        return await self.client.call_tool(tool, arguments, progress_callback=note)

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The document of a call that has to succeed."""
        answer = await self.call(tool, **arguments)
        assert not answer.is_error, text_of(answer)
        document: dict[str, Any] = answer.structured_content
        return document

    async def refusal(self, tool: str, **arguments: Any) -> str:
        """The words of a call that has to be refused."""
        answer = await self.call(tool, **arguments)
        assert answer.is_error, text_of(answer)
        return text_of(answer)

    async def done(self, job_ids: list[str]) -> list[dict[str, Any]]:
        """The jobs when they have ended, however long that takes."""
        while not (answer := await self.ask("wait", jobs=job_ids))["allEnded"]:
            pass
        jobs: list[dict[str, Any]] = answer["jobs"]
        return jobs


def text_of(answer: CallToolResult) -> str:
    return "\n".join(part.text for part in answer.content if isinstance(part, TextContent))


@asynccontextmanager
async def started(user: User, *args: str) -> AsyncIterator[Agent]:
    """The server as an agent's client starts it: a child that is spoken to on stdin and stdout."""
    command = StdioServerParameters(command=BMN, args=["mcp", *args], env=environment(user.env))
    async with Client(command, read_timeout_seconds=PATIENCE) as client:
        yield Agent(client)


@contextmanager
def listening(user: User, *args: str, env: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """The server over HTTP; gives its address, and what it has said beside it."""
    command = [BMN, "mcp", "--json", "--port", "0", *args]
    variables = environment({**user.env, **(env or {})})
    with TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables)
        try:
            assert process.stdout
            url = json.loads(process.stdout.readline())["url"]
            errors.seek(0)
            yield url, errors.read()
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


async def posted(url: str, body: dict[str, Any], headers: dict[str, str]) -> int:
    """The status of a request that no client of the protocol would make."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        return (await http.post(url, json=body, headers=headers)).status_code


async def test_a_server_that_was_not_told_to_write_offers_nothing_that_does(user: User) -> None:
    async with started(user) as agent:
        offered = (await agent.client.list_tools()).tools
        assert not _WRITES & {tool.name for tool in offered}
        assert all(tool.annotations and tool.annotations.read_only_hint and tool.description for tool in offered)
        assert "Unknown tool" in await agent.refusal("submit", brand="Acme", order=_ONE_LOGO)

        price = await agent.ask("estimate", brand="Acme", order=_ONE_LOGO)
        assert (price["credits"], price["usd"], price["brandIsNew"]) == (1, 0.03, True)
        # A step of the wizard is priced without its brand as well, and not by making one.
        price = await agent.ask("estimate", brand="Acme", order=_ONE_STEP)
        assert (price["credits"], price["brandIsNew"]) == (1, True)
        assert (await agent.ask("list_brands"))["brands"] == []
        assert "mug" in [product["name"] for product in (await agent.ask("list_products"))["products"]]
        assert (await agent.ask("balance"))["creditsRemaining"] == 20


async def test_an_error_has_the_words_and_the_document_of_the_command_line(user: User) -> None:
    shown = user.bmn("jobs", "why", "0000ffff", "--json")
    said = json.loads(shown.out)["error"]
    async with started(user) as agent:
        answer = await agent.call("why", job="0000ffff")
        assert answer.is_error
        assert answer.structured_content == {"error": said}
        assert text_of(answer) == f"{said['message']}\n{said['hint']}"
        wrong = await agent.refusal("estimate", brand="Acme", order={"kind": "logos", "count": 9, "colour": "red"})
        assert wrong == (
            "Validation failed\norder.logos.count must be at most 8; order.logos.colour is not a field of this request"
        )
        assert "one of logos, mockups" in await agent.refusal("estimate", brand="Acme", order={"kind": "logo"})


async def test_a_brand_is_made_for_fifty_cents_and_refused_for_fifty_one(user: User) -> None:
    async with started(user, "--write", "--budget", "0.50usd") as agent:
        refused = await agent.refusal("submit", brand="Acme Coffee", order=_SMALL_KIT, budget=1)
        assert refused.startswith("This would cost 2 credits, and its budget is 1 credit.\nNothing was submitted.")
        refused = await agent.refusal("submit", brand="Acme Coffee", order={"kind": "kit", "count": 8}, key="too-much")
        assert "more of its $0.50" in refused
        assert (await agent.ask("list_brands"))["brands"] == []
        asked = {"brand": "Acme Coffee", "order": _SMALL_KIT, "budget": "$0.50", "key": secrets.token_hex()}
        begun = await agent.ask("submit", **asked)
        assert (begun["usd"], begun["credits"], begun["budgetLeft"]) == (0.2, 2, "$0.30")
        again = await agent.ask("submit", **asked)
        assert (again["kit"], again["budgetLeft"]) == (begun["kit"], "$0.30")
        refused = await agent.refusal("submit", **{**asked, "order": {**_SMALL_KIT, "count": 2}})
        assert "key" in refused.lower()
        assert (await agent.ask("balance"))["budgetLeft"] == "$0.30"

        while (kit := await agent.ask("wait_kit", kit=begun["kit"]))["state"] == "running":
            pass
        assert kit["state"] == "done"

        mugs = {"kind": "mockups", "products": ["mug", "t-shirt", "tote-bag"]}
        refused = await agent.refusal("submit", brand="Acme Coffee", order=mugs, budget="$0.50")
        assert refused.startswith("This would cost $0.51, and its budget is $0.50.\nNothing was submitted.")
        refused = await agent.refusal("submit", brand="Acme Coffee", order=mugs)
        assert refused.startswith("This would cost $0.51; this server may spend $0.30 more of its $0.50.")
        balance = await agent.ask("balance")
        assert (balance["creditsRemaining"], balance["budgetLeft"]) == (18, "$0.30")
        assert len((await agent.ask("list_jobs"))["jobs"]) == 2


async def test_a_step_of_the_wizard_makes_its_brand_in_the_same_transaction(user: User) -> None:
    async with started(user, "--write", "--budget", "2") as agent:
        order = {"brand": "Acme Coffee", "order": _ONE_STEP, "key": secrets.token_hex()}
        refused = await agent.refusal("submit", **order, budget="$0.0001")
        assert "Nothing was submitted." in refused
        assert (await agent.ask("list_brands"))["brands"] == []
        begun = await agent.ask("submit", **order)
        again = await agent.ask("submit", **order)
        assert again["jobIds"] == begun["jobIds"]
        refused = await agent.refusal("submit", **{**order, "brand": "Another"})
        assert "key" in refused.lower()
        assert [brand["name"] for brand in (await agent.ask("list_brands"))["brands"]] == ["Acme Coffee"]
        [job] = await agent.done(begun["jobIds"])
        assert job["state"] == "completed"


async def test_an_agent_looks_refines_and_brings_back_what_failed(user: User) -> None:
    async with started(user, "--write", "--budget", "6") as agent:
        order = {"kind": "logos", "count": 1, "logoStyle": "bold"}
        made = await agent.ask("submit", brand="Acme Coffee", order=order)
        [job] = await agent.done(made["jobIds"])
        assert (job["state"], job["creditsCharged"]) == ("completed", 1)
        assert "1 logo generated" in agent.said
        [brand] = (await agent.ask("list_brands"))["brands"]
        assert (brand["name"], brand["logoStyle"]) == ("Acme Coffee", "bold")

        name = job["pictures"][0]["name"]
        seen = await agent.call("look", picture=name, size=256)
        [picture] = [part for part in seen.content if isinstance(part, ImageContent)]
        data = base64.b64decode(picture.data)
        assert picture.mime_type == "image/jpeg" and len(data) <= 256 * 1024
        assert max(Image.open(io.BytesIO(data)).size) == 256
        assert "1024 x 1024" in text_of(seen)

        refined = await agent.ask("refine", picture=name, notes="thicker lines")
        [changed] = await agent.done(refined["jobIds"])
        assert changed["state"] == "completed"

        user.stack.fault(provider="bfl", status=422)
        failing = await agent.ask("submit", brand="Acme Coffee", order=_ONE_LOGO)
        [job] = await agent.done(failing["jobIds"])
        user.stack.mend()
        assert (job["state"], job["creditsCharged"], job["creditsRefunded"]) == ("failed", 0, 1)
        why = await agent.ask("why", job=job["jobId"])
        assert why["cause"] == job["cause"] and why["try"]["text"]

        back = await agent.ask("replay", job=job["jobId"], budget=1)
        assert (back["credits"], back["budgetLeft"]) == (1, "2 credits")
        [job] = await agent.done(back["jobIds"])
        assert job["state"] == "completed"
        assert (await agent.ask("balance"))["spent"].startswith("4 credits")


async def test_the_server_over_http_for_clients_of_this_machine_that_were_given_its_token(user: User) -> None:
    with listening(user) as (url, said):
        signed = {"Authorization": said.partition("Authorization: ")[2].strip()}
        async with httpx2.AsyncClient(headers=signed, timeout=PATIENCE, trust_env=False) as http:
            for mode in ("legacy", "auto"):
                transport = streamable_http_client(url, http_client=http)
                async with Client(transport, mode=mode, read_timeout_seconds=PATIENCE) as client:
                    assert (await Agent(client).ask("balance"))["creditsRemaining"] == 20
        ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accepted = {"Accept": "application/json, text/event-stream", **signed}
        port = httpx.URL(url).port
        for headers, status in (
            ({"Host": f"rebound.example.com:{port}"}, 421),
            ({"Host": f"127.0.0.1.example.com:{port}"}, 421),
            ({"Origin": "https://evil.example.com"}, 403),
            ({"Origin": f"http://127.0.0.1:{port}"}, 403),
            ({"Authorization": "Bearer guessed"}, 401),
            ({"Authorization": ""}, 401),
            ({}, 200),
        ):
            assert await posted(url, ask, {**accepted, **headers}) == status, headers


async def test_the_server_over_http_with_a_token(user: User) -> None:
    token = secrets.token_hex()
    place = ("--write", "--host", "0.0.0.0", "--name", "mcp.example.com")
    with listening(user, *place, env={"BMN_MCP_TOKEN": token}) as (url, said):
        assert token not in said, "who has set it knows it"
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer guessed"}, 401),
            ({"Authorization": f"Bearer {token}", "Host": "rebound.example.com"}, 421),
        ):
            assert await posted(url, {}, headers) == status, headers
        signed = {"Authorization": f"Bearer {token}", "Host": "mcp.example.com"}
        async with (
            httpx2.AsyncClient(headers=signed, timeout=PATIENCE, trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http), read_timeout_seconds=PATIENCE) as client,
        ):
            agent = Agent(client)
            large = {"kind": "kit", "count": 8}  # 18 credits; each product more is one
            large["products"] = [each["name"] for each in (await agent.ask("list_products"))["products"]][:10]
            refused = await agent.refusal("submit", brand="Acme Coffee", order=large, budget=100)
            assert refused.startswith("Insufficient credits\nThis needs ")
            assert (await agent.ask("list_brands"))["brands"] == []


def test_who_has_no_token_sends_no_head_without_an_end(user: User) -> None:
    with listening(user) as (url, _), socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as client:
        client.settimeout(PATIENCE)
        client.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        answer = b""
        try:
            for _ in range(400):
                client.sendall(b"a: b\r\n" * 10_000)
        except ConnectionError:
            pass
        try:
            answer = client.recv(1000)
        except ConnectionError:  # it was reset while we wrote
            return
        assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (("--host", "0.0.0.0"), {}, "set BMN_MCP_TOKEN"),
        (("--host", "0.0.0.0"), {"BMN_MCP_TOKEN": "x" * 32}, "--name"),
        ((), {"BMN_MCP_TOKEN": "short"}, "shorter than 16"),
    ],
)
def test_a_server_that_others_could_use_does_not_start(
    user: User, args: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    done = user.bmn("mcp", "--port", "0", *args, env=env)
    assert done.code == 2
    assert said in done.err


def test_without_its_package_the_command_says_what_is_missing() -> None:
    code = "import sys; sys.modules['mcp'] = None; from bmn.cli.app import run; sys.exit(run(['mcp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 2
    assert "bmn[mcp]" in done.stderr
