"""The MCP server: which tools it offers, and how what they answer or refuse is put for a model."""

import functools
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from bmn import __version__
from bmn.cli.agents.purse import Purse
from bmn.cli.agents.reading_tools import ReadingTools
from bmn.cli.agents.writing_tools import WritingTools
from bmn.client import Client
from bmn.errors import BmnError, UsageProblem
from bmn.redaction import redact
from bmn.schemas.documents.document import Document
from bmn.schemas.wording import flaws

_INSTRUCTIONS = """\
Brand Me Now makes brands with AI: logos, product mockups, bundle pictures, short films, whole brands (kits). Each job takes
10 to 300 seconds of a provider's time and costs credits. Ask `estimate` first. A job is durable: it goes on when you stop
waiting, is never billed twice, and what failed is refunded. After `wait`, `look` at the pictures before you go on. Where a
job failed, `why` says the cause, whether it was charged, and what to do."""
_READ_ONLY = " This server only reads: a person has to start it with `bmn mcp --write` before anything can be ordered."

_MOST_ISSUES = 10

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False)
_STOPS = ToolAnnotations(read_only_hint=False, destructive_hint=True)


class _ToolServer(MCPServer[Any]):
    """Arguments that cannot be used are refused in the words of the API."""

    async def call_tool(self, name: str, arguments: dict[str, object], context: Any = None) -> Any:
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            hint = "; ".join(map(str, flaws(error.__cause__)[:_MOST_ISSUES]))
            return _refusal(UsageProblem("Validation failed", hint=hint))


def build(client: Client, purse: Purse, *, write: bool) -> MCPServer[Any]:
    """A server whose tools use this client. write: with those that submit, change and stop things."""
    server = _ToolServer(
        "bmn",
        title="Brand Me Now",
        version=__version__,
        instructions=_INSTRUCTIONS + ("" if write else _READ_ONLY),
        log_level="WARNING",
        subscriptions=False,
    )
    tools = WritingTools(client, purse) if write else ReadingTools(client, purse)
    offered: list[tuple[Callable[..., Awaitable[object]], ToolAnnotations]] = [
        (tools.estimate, _READS),
        (tools.wait, _READS),
        (tools.wait_kit, _READS),
        (tools.look, _READS),
        (tools.why, _READS),
        (tools.list_jobs, _READS),
        (tools.list_brands, _READS),
        (tools.list_pictures, _READS),
        (tools.list_products, _READS),
        (tools.balance, _READS),
    ]
    if isinstance(tools, WritingTools):
        offered += [
            (tools.submit, _ADDS),
            (tools.refine, _ADDS),
            (tools.replay, _ADDS),
            (tools.pick, _ADDS),
            (tools.select, _ADDS),
            (tools.cancel, _STOPS),
        ]
    for tool, annotations in offered:
        text = inspect.cleandoc(tool.__doc__ or "")
        server.add_tool(_answering(tool), description=text, annotations=annotations)
    return server


def _answering(tool: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    """The tool with its document as text and as JSON, and with an error of ours in the words of the command line."""

    @functools.wraps(tool)
    async def answer(*args: Any, **given: Any) -> object:
        try:
            found = await tool(*args, **given)
        except BmnError as error:
            return _refusal(error)
        if not isinstance(found, Document):
            return found
        short = found.model_dump(mode="json", by_alias=True, exclude_none=True)
        text = json.dumps(short, ensure_ascii=False, separators=(",", ":"))
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=found.wire())

    return answer


def _refusal(error: BmnError) -> CallToolResult:
    """What happened and what to do, and the same document that a command prints with `--json`."""
    message, hint = redact(error.message), redact(error.hint or "")
    body = {"code": error.code, "message": message, "hint": hint or None, "requestId": None, **error.extra}
    text = f"{message}\n{hint}" if hint else message
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content={"error": json.loads(json.dumps(body, default=str))},
        is_error=True,
    )
