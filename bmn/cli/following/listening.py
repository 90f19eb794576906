"""What a listener hears, handed on to a local port byte for byte, so that its signature holds there."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress

import httpx

from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import NotFound
from bmn.schemas.documents import WebhookMessage

_LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 15.0


async def listen(url: str, events: Sequence[str]) -> None:
    """Until it is cancelled. Raises BmnError where the server is away for long."""
    async with open_client() as client, httpx.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False) as local:
        made = await client.listen(events)
        _say({"listening": made.id, "key": made.key, "events": made.events}, f"secret  {made.key}")
        try:
            while True:
                messages = await client.take_messages(made.id)
                for message in messages:
                    await _hand_on(client, local, made.id, url, message)
                if not messages:
                    await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await asyncio.shield(client.remove_webhook_endpoint(made.id))


def _say(told: dict[str, object], line: str) -> None:
    if console.json:
        console.json_line(told)
    else:
        console.answer(line)
        sys.stdout.flush()  # somebody waits for it


async def _hand_on(client: Client, local: httpx.AsyncClient, listener: str, url: str, message: WebhookMessage) -> None:
    status: int | None = None
    error: str | None = None
    try:
        answer = await local.post(url, content=message.body.encode(), headers=message.headers)
        status = answer.status_code
    except httpx.HTTPError as problem:
        error = f"{url} does not answer ({type(problem).__name__})."
    with suppress(NotFound):  # a newer word about the progress has taken its place
        await client.note_outcome(listener, message.id, status=status, error=error)
    told: dict[str, object] = {
        "id": message.id,
        "event": message.event,
        "jobId": message.job_id,
        "status": status,
        "error": error,
    }
    _say(told, f"{message.event}  {message.job_id}  {status or error}")
