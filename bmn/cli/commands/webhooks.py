"""`bmn webhooks`: who is notified of jobs and with which secret, what was sent and what became of it."""

import asyncio
from typing import Annotated

import typer

from bmn.cli.base import UsageError, examples, group, run
from bmn.cli.lookup.endpoint_lookup import find_endpoint
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.timespan import listed
from bmn.schemas import documents

_STYLES = {"delivered": "green", "failed": "red", "pending": "yellow", "dropped": "dim"}
_LOOK_SECONDS = 0.3
_TEST_SECONDS = 20.0

Events = Annotated[
    list[str] | None,
    typer.Option("--event", metavar="EVENT", help="Of these only; repeatable. [the ends of jobs]"),
]
Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT")]

app = group(
    "Notifies other systems about jobs, signed as Standard Webhooks, and keeps a log of it.",
    "bmn webhooks add https://example.com/hook --event job.completed",
    "bmn webhooks test https://example.com/hook",
    "bmn webhooks listen --forward-to http://localhost:4000/hook",
    "bmn webhooks deliveries --state failed",
)


@app.command("list", cls=examples("bmn webhooks list"))
def list_endpoints() -> None:
    """The receivers of your account."""

    async def fetch() -> list[documents.WebhookEndpoint]:
        async with open_client() as client:
            return await client.webhook_endpoints()

    found = run(fetch())
    if console.json:
        console.document({"endpoints": found})
        return
    if not found:
        console.say("No webhook endpoints.")
        console.next_step("bmn webhooks add https://example.com/hook")
        return
    columns = [Column("ENDPOINT"), Column("STATE"), Column("URL", flexible=True), Column("EVENTS", flexible=True)]
    console.table(columns, [(each.id, _state(each), each.url, ", ".join(each.events)) for each in found])
    if disabled := next((each for each in found if each.disabled_at), None):
        console.say(f"{disabled.id} gets nothing any more. {disabled.disabled_reason}")
        console.next_step(f"bmn webhooks enable {disabled.id}")
    else:
        console.next_step(f"bmn webhooks test {found[0].id}")


@app.command(cls=examples("bmn webhooks add https://example.com/hook --event job.completed --event job.failed"))
def add(url: Annotated[str, typer.Argument(metavar="URL")], events: Events = None) -> None:
    """Adds a receiver of all jobs that you submit from now on, and shows its secret."""

    async def make() -> documents.MadeWebhookEndpoint:
        async with open_client() as client:
            return await client.add_webhook_endpoint(url, events or ())

    made = run(make())
    if console.json:
        console.document(made)
        return
    for name, value in (
        ("endpoint", made.id),
        ("url", made.url),
        ("events", ", ".join(made.events)),
        ("secret", made.key),
    ):
        console.field(name, value)
    console.next_step(f"bmn webhooks test {made.id}")


@app.command(cls=examples("bmn webhooks remove 0d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11"))
def remove(endpoint: Endpoint) -> None:
    """Removes a receiver; what is on its way to it is dropped."""

    async def drop() -> str:
        async with open_client() as client:
            found = await find_endpoint(client, endpoint)
            await client.remove_webhook_endpoint(found)
            return found

    removed = run(drop())
    if console.json:
        console.document({"removed": removed})
        return
    console.say(f"Removed {removed}.")


@app.command(cls=examples("bmn webhooks enable 0d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11"))
def enable(endpoint: Endpoint) -> None:
    """Lets a receiver hear again that was disabled because it had answered 410 (Gone)."""

    async def again() -> documents.WebhookEndpoint:
        async with open_client() as client:
            return await client.enable_webhook_endpoint(await find_endpoint(client, endpoint))

    enabled = run(again())
    if console.json:
        console.document(enabled)
        return
    console.say(f"{enabled.id} gets events again, from the next one on.")
    console.next_step(f"bmn webhooks test {enabled.id}")


@app.command(cls=examples("bmn webhooks secret", "bmn webhooks secret 0d9c1f0e-7c5e-4c8e-9a39-5b1f0f2f7a11"))
def secret(endpoint: Annotated[str | None, typer.Argument(metavar="ENDPOINT")] = None) -> None:
    """The secret of an endpoint; without one, that of webhookUrl in a submission."""

    async def fetch() -> str:
        async with open_client() as client:
            return await client.webhook_secret(await find_endpoint(client, endpoint) if endpoint else None)

    key = run(fetch())
    if console.json:
        console.document({"key": key})
        return
    console.answer(key)


@app.command(cls=examples("bmn webhooks test https://example.com/hook", "bmn webhooks test ENDPOINT"))
def test(target: Annotated[str, typer.Argument(metavar="ENDPOINT|URL")]) -> int:
    """Sends webhook.test to an endpoint or an address, and says what it answered."""

    async def send() -> documents.WebhookDelivery:
        async with open_client() as client:
            if "://" in target:
                sent = await client.test_webhook(url=target)
            else:
                sent = await client.test_webhook(endpoint_id=await find_endpoint(client, target))
            until = asyncio.get_running_loop().time() + _TEST_SECONDS
            while not sent.attempts and sent.state == "pending" and asyncio.get_running_loop().time() < until:
                await asyncio.sleep(_LOOK_SECONDS)
                sent = await client.webhook_delivery(sent.id)
            return sent

    sent = run(send())
    if console.json:
        console.document(sent)
    else:
        console.say(f"{sent.id}: {sent.state}" + (f", answered {sent.status}" if sent.status else ""))
        if sent.error:
            console.say(sent.error)
        if not sent.attempts and sent.state == "pending":
            console.say("No worker has taken it yet.")
            console.next_step("bmn queues")
    return 0 if sent.state == "delivered" else 1


@app.command(cls=examples("bmn webhooks deliveries --state failed", "bmn webhooks deliveries --limit 100 --json"))
def deliveries(
    state: Annotated[str | None, typer.Option(metavar="STATE", help="pending, delivered, failed or dropped.")] = None,
    endpoint: Annotated[str | None, typer.Option(metavar="ENDPOINT", help="To this one only.")] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="Of this job only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N", help="How many at most.")] = 20,
) -> None:
    """What was sent, newest first, and what became of it."""

    async def fetch() -> documents.WebhookDeliveries:
        async with open_client() as client:
            endpoint_id = await find_endpoint(client, endpoint) if endpoint else None
            job_id = await find_job(client, job) if job else None
            return await client.webhook_deliveries(state=state, endpoint=endpoint_id, job=job_id, limit=limit)

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    if not page.deliveries:
        console.say("No deliveries.")
        console.next_step("bmn webhooks list")
        return
    columns = [
        Column("WHEN"),
        Column("DELIVERY"),
        Column("EVENT"),
        Column("STATE"),
        Column("TRIES"),
        Column("ANSWER", flexible=True),
    ]
    console.table(columns, [_row(each) for each in page.deliveries])
    if failed := next((each for each in page.deliveries if each.state == "failed"), None):
        console.next_step(f"bmn webhooks replay {failed.id}")


@app.command(cls=examples("bmn webhooks replay msg_5f0c2a7e1b3d4c6f8a9b"))
def replay(ids: Annotated[list[str], typer.Argument(metavar="DELIVERY")]) -> None:
    """Sends deliveries once more, each under the id that it had."""

    async def again() -> list[documents.WebhookDelivery]:
        async with open_client() as client:
            return [await client.replay_webhook(each) for each in ids]

    sent = run(again())
    if console.json:
        console.document({"deliveries": sent})
        return
    for each in sent:
        console.say(f"{each.id} is on its way to {each.url}.")
    console.next_step("bmn webhooks deliveries")


@app.command(cls=examples("bmn webhooks listen --forward-to http://localhost:4000/hook"))
def listen(
    forward_to: Annotated[str, typer.Option("--forward-to", metavar="URL", help="A receiver on this machine.")],
    events: Annotated[
        list[str] | None, typer.Option("--event", metavar="EVENT", help="Of these only; repeatable. [all]")
    ] = None,
) -> None:
    """Forwards the events of your jobs to a local port from now on, until Ctrl-C."""
    from bmn.cli.following.listening import listen as forward
    from bmn.schemas.webhook_payloads import is_loopback

    if not forward_to.startswith(("http://", "https://")):
        forward_to = f"http://{forward_to}"
    if not is_loopback(forward_to):
        raise UsageError("--forward-to names a receiver on this machine, such as http://localhost:4000/hook.")
    try:
        run(forward(forward_to, events or ()))
    except KeyboardInterrupt:
        console.say("Stopped listening.")


def _state(each: documents.WebhookEndpoint) -> Cell:
    return ("disabled", "red") if each.disabled_at else ("enabled", "green")


def _row(each: documents.WebhookDelivery) -> tuple[Cell, ...]:
    when = listed(each.created_at)
    # The sentence has the status of a refusal; of one that was dropped an earlier status says nothing.
    answer = each.error or str(each.status or "")
    return when, each.id, each.event, (each.state, _STYLES.get(each.state, "")), str(each.attempts), answer
