"""`bmn sandbox`: the stand-in for the providers: run it alone, make it fail, read what it would have billed."""

import re
from typing import Any

import click

from bmn.cli.base import Group
from bmn.cli.terminal.console import Column, console
from bmn.cli.terminal.format import plural
from bmn.cli.terminal.timespan import parse_span
from bmn.errors import NoServer, UsageProblem
from bmn.settings import load_settings


class _Span(click.ParamType[float]):
    """`8s`, `1m`, `0.5`, as seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value) if isinstance(value, int | float) else parse_span(re.sub(r"^\.", "0.", value))
        except ValueError:
            self.fail(f"{value!r} is no span of time; for example 8s, 500ms as 0.5s, 2m.", param, ctx)


_SPAN = _Span()


@click.group(
    cls=Group,
    examples=(
        "bmn sandbox fail bfl --status 503 --times 3",
        "bmn sandbox fail openai --latency 8s",
        "bmn sandbox clear",
        "bmn sandbox ledger",
    ),
)
def sandbox() -> None:
    """Stands in for providers that have no key: real protocol, drawn pictures, no bill."""


@sandbox.command(examples=("bmn sandbox run", "bmn sandbox run --port 3999 --speed 0.1"))
@click.option("--port", type=click.IntRange(0, 65535), default=3999, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--speed", type=click.FloatRange(0), help="1 waits like a vendor, 0 not at all.  [default: 1]")
def run(port: int, host: str, speed: float | None) -> None:
    """Runs the sandbox alone; others use it through BMN_SANDBOX_URL."""
    import os

    from bmn import logs
    from bmn.local.home import listen
    from bmn.local.sandbox import require_sandbox, run_sandbox

    require_sandbox()
    settings = load_settings()
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process="sandbox")
    listener = listen(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"

    def ready() -> None:
        if console.json:
            console.json_line({"url": url, "pid": os.getpid()})
        else:
            console.answer(f"export BMN_SANDBOX_URL={url}")
            console.out.file.flush()

    run_sandbox(settings, listener, settings.bmn_sandbox_speed if speed is None else speed, ready)


@sandbox.command(
    examples=(
        "bmn sandbox fail bfl --status 503 --times 3",
        "bmn sandbox fail bfl --status 429 --retry-after 5",
        "bmn sandbox fail bfl --moderate 1",
        "bmn sandbox fail openai --drop-response --times 1",
    )
)
@click.argument("provider")
@click.option("--status", type=click.IntRange(400, 599), help="Answer with this HTTP status.")
@click.option("--retry-after", metavar="SECONDS", help="With a status: the header of that name.")
@click.option("--latency", type=_SPAN, metavar="TIME", help="Answer this much later.")
@click.option("--drop-response", is_flag=True, help="Do the work, bill it, and cut the line before answering.")
@click.option(
    "--garbage",
    is_flag=False,
    flag_value="html",
    metavar="[KIND]",
    help="Answer with nonsense: html, empty, truncated, …",
)
@click.option("--hang", is_flag=True, help="Never answer.")
@click.option("--pending", is_flag=True, help="Polls never end.")
@click.option("--moderate", type=click.IntRange(1), metavar="N", help="Refuse the next N generations.")
@click.option("--stage", type=click.Choice(["request", "content"]), help="What moderation objects to.")
@click.option("--unknown-status", metavar="WORD", help="A poll answers with this status word.")
@click.option("--expire", is_flag=True, help="The result's address is gone.")
@click.option(
    "--image",
    is_flag=False,
    flag_value="notimage",
    metavar="[KIND]",
    help="Deliver a bad picture: notimage, svg, huge, …",
)
@click.option("--times", type=click.IntRange(1), metavar="N", help="How many calls it hits. [all, until cleared]")
@click.option("--skip", type=click.IntRange(0), metavar="N", help="Let this many calls pass first.")
@click.option("--after", type=_SPAN, metavar="TIME", help="Begin this much later.")
@click.option("--op", metavar="NAME", help="Only this call of the vendor: submit, poll, download, …")
@click.option("--path", metavar="TEXT", help="Only calls whose path contains this.")
@click.option("--match", metavar="TEXT", help="Only calls that contain this text, such as a word of the prompt.")
def fail(provider: str, **options: Any) -> None:
    """Makes a provider fail: PROVIDER is bfl, openai, google, anthropic, resend, ghl, or * for all."""
    rule = {_camel(name): value for name, value in options.items() if value not in (None, False)}
    answer = _ask("POST", "/_sandbox/faults", json={"provider": provider, **rule})
    if console.json:
        console.document(answer)
        return
    console.answer(f"✓ fault {answer['id']}: {_described(answer)}")
    console.next_step("bmn sandbox faults", "bmn sandbox clear")


@sandbox.command(examples=("bmn sandbox faults", "bmn sandbox faults --json"))
def faults() -> None:
    """The faults that are set, and how often each has hit."""
    found = _ask("GET", "/_sandbox/faults")
    if console.json:
        console.document(found)
        return
    if not found:
        console.answer("no faults are set")
    for fault in found:
        console.answer(
            f"{fault['id']:>3}  {_described(fault)}  ({fault['hits']} hits{', over' if fault['spent'] else ''})"
        )
    console.next_step("bmn sandbox clear" if found else "bmn sandbox fail bfl --status 503 --times 3")


@sandbox.command(examples=("bmn sandbox clear", "bmn sandbox clear bfl"))
@click.argument("provider", required=False)
def clear(provider: str | None) -> None:
    """Ends all faults, or one provider's."""
    answer = _ask("DELETE", "/_sandbox/faults", params={"provider": provider} if provider else {})
    if console.json:
        console.document(answer)
        return
    console.answer(f"✓ {plural(answer['cleared'], 'fault')} ended")


@sandbox.command(examples=("bmn sandbox ledger", "bmn sandbox ledger --provider bfl --json"))
@click.option("--provider", metavar="NAME", help="Only this provider's.")
@click.option("--since", metavar="TIME", help="A span (1h), or an ISO time.")
def ledger(provider: str | None, since: str | None) -> None:
    """Every call that would have been billed: provider, model, unit, usd, time."""
    import time
    from datetime import datetime

    from bmn.cli.terminal.timespan import seconds_ago

    query: dict[str, Any] = {"provider": provider} if provider else {}
    if since:
        try:
            query["since"] = str(time.time() - seconds_ago(since))
        except ValueError as error:
            raise UsageProblem(str(error)) from error
    rows = _ask("GET", "/_sandbox/ledger", params=query)
    if console.json:
        console.document(rows)
        return
    columns = (
        Column("TIME"),
        Column("PROVIDER"),
        Column("MODEL", drop=1),
        Column("UNITS", right=True),
        Column("USD", right=True),
        Column("PROMPT", flexible=True, drop=2),
    )
    console.table(
        columns,
        [
            (
                datetime.fromtimestamp(row["time"]).strftime("%H:%M:%S"),
                row["provider"],
                row["model"],
                f"{row['units']:g} {row['unit']}",
                f"{row['usd']:.4f}",
                row.get("prompt") or "",
            )
            for row in rows
        ],
    )
    console.answer(f"{len(rows)} calls, ${sum(row['usd'] for row in rows):.2f}, none of it billed by anybody")


def _ask(method: str, path: str, **request: Any) -> Any:
    """One call of the sandbox's control routes. Raises NoServer where none runs, UsageProblem where it refuses."""
    import httpx

    address = load_settings().sandbox_address
    if not address:
        raise NoServer("No sandbox runs in this home.", hint="Start `bmn serve`, or `bmn sandbox run`.")
    try:
        answer = httpx.request(method, address + path, timeout=10, trust_env=False, **request)
    except httpx.HTTPError as error:
        raise NoServer(
            f"The sandbox at {address} does not answer: {error}", hint="Start `bmn serve`, or `bmn sandbox run`."
        ) from error
    if answer.is_error:
        raise UsageProblem(_problem(answer), hint="See `bmn sandbox fail --help`.")
    return answer.json()


def _problem(answer: Any) -> str:
    try:
        return str(answer.json()["error"]).removeprefix("Value error, ")
    except (ValueError, KeyError, TypeError):
        return f"The sandbox answered {answer.status_code}."


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _described(fault: dict[str, Any]) -> str:
    words = [f"{key}={value}" for key, value in fault.items() if key not in ("id", "hits", "spent", "provider")]
    return " ".join([str(fault["provider"]), *words])
