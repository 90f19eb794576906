"""`bmn sandbox`: the stand-in for the providers: run it alone, make it fail, read what it would have billed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel, ConfigDict

from bmn.cli.base import Command, Context, examples, group
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import span
from bmn.errors import NoServer, UsageProblem
from bmn.format import count
from bmn.settings import PROVIDERS, load_settings

_BARE = {"--garbage": "html", "--image": "notimage"}

app = group(
    "Stands in for providers that have no key: real protocol, drawn pictures, no bill.",
    "bmn sandbox fail bfl --status 503 --times 3",
    "bmn sandbox fail openai --latency 8s",
    "bmn sandbox clear",
    "bmn sandbox ledger",
)


@app.command(cls=examples("bmn sandbox run", "bmn sandbox run --port 3999 --speed 0.1"))
def run(
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT")] = 3999,
    host: Annotated[str, typer.Option(metavar="HOST")] = "127.0.0.1",
    speed: Annotated[
        float | None, typer.Option(min=0, metavar="FACTOR", help="1 waits like a vendor, 0 not at all.  [default: 1]")
    ] = None,
) -> None:
    """Runs the sandbox alone; others use it through BMN_SANDBOX_URL."""
    import os

    from bmn import logs
    from bmn.local.home import listen
    from bmn.local.sandbox_door import require_sandbox, run_sandbox

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


_Status = Annotated[int | None, typer.Option(min=400, max=599, metavar="N", help="Answer with this HTTP status.")]
_RetryAfter = Annotated[str | None, typer.Option(metavar="SECONDS", help="With a status: the header of that name.")]
_Latency = Annotated[float | None, typer.Option(parser=span, metavar="TIME", help="Answer this much later.")]
_Drop = Annotated[
    bool, typer.Option("--drop-response", help="Do the work, bill it, and cut the line before answering.")
]
_Garbage = Annotated[str | None, typer.Option(metavar="[KIND]", help="Answer with nonsense: html, empty, truncated, …")]
_Hang = Annotated[bool, typer.Option("--hang", help="Never answer.")]
_Pending = Annotated[bool, typer.Option("--pending", help="Polls never end.")]
_Moderate = Annotated[int | None, typer.Option(min=1, metavar="N", help="Refuse the next N generations.")]
_Stage = Annotated[Literal["request", "content"] | None, typer.Option(help="What moderation objects to.")]
_UnknownStatus = Annotated[str | None, typer.Option(metavar="WORD", help="A poll answers with this status word.")]
_Expire = Annotated[bool, typer.Option("--expire", help="The result's address is gone.")]
_Image = Annotated[str | None, typer.Option(metavar="[KIND]", help="Deliver a bad picture: notimage, svg, huge, …")]
_Times = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many calls it hits. [all, until cleared]")]
_Skip = Annotated[int | None, typer.Option(min=0, metavar="N", help="Let this many calls pass first.")]
_After = Annotated[float | None, typer.Option(parser=span, metavar="TIME", help="Begin this much later.")]
_Op = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only this call of the vendor: submit, poll, download, …")
]
_Path = Annotated[str | None, typer.Option(metavar="TEXT", help="Only calls whose path contains this.")]
_Match = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Only calls that contain this text, such as a word of the prompt."),
]


class _Fail(Command):
    examples = (
        "bmn sandbox fail bfl --status 503 --times 3",
        "bmn sandbox fail bfl --status 429 --retry-after 5",
        "bmn sandbox fail bfl --moderate 1",
        "bmn sandbox fail openai --drop-response --times 1",
    )

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [*_with_values(args)])


def _with_values(args: list[str]) -> Iterator[str]:
    """The options whose value may be left out, with the value that they stand for then."""
    for arg, after in zip(args, [*args[1:], "-"][: len(args)], strict=True):
        yield arg
        if arg in _BARE and after.startswith("-"):
            yield _BARE[arg]


@app.command(cls=_Fail, help=f"Makes a provider fail: PROVIDER is {', '.join(PROVIDERS)}, or * for all.")
def fail(
    provider: Annotated[str, typer.Argument()],
    status: _Status = None,
    retry_after: _RetryAfter = None,
    latency: _Latency = None,
    drop_response: _Drop = False,
    garbage: _Garbage = None,
    hang: _Hang = False,
    pending: _Pending = False,
    moderate: _Moderate = None,
    stage: _Stage = None,
    unknown_status: _UnknownStatus = None,
    expire: _Expire = False,
    image: _Image = None,
    times: _Times = None,
    skip: _Skip = None,
    after: _After = None,
    op: _Op = None,
    path: _Path = None,
    match: _Match = None,
) -> None:
    """Makes a provider fail."""
    effects = (status, latency, drop_response, garbage, hang, pending, moderate, unknown_status, expire, image)
    if not any(effects) and retry_after is None:
        raise UsageProblem(
            f"Say how {provider} fails.",
            hint="One of --status 503, --latency 8s, --hang, --garbage, --drop-response, --moderate 1, --pending, ...",
        )
    rule = {
        "provider": provider,
        "status": status,
        "retryAfter": retry_after,
        "latency": latency,
        "dropResponse": drop_response,
        "garbage": garbage,
        "hang": hang,
        "pending": pending,
        "moderate": moderate,
        "stage": stage,
        "unknownStatus": unknown_status,
        "expire": expire,
        "image": image,
        "times": times,
        "skip": skip,
        "after": after,
        "op": op,
        "path": path,
        "match": match,
    }
    answer = _ask(
        "POST",
        "/_sandbox/faults",
        json={key: value for key, value in rule.items() if value is not None and value is not False},
    )
    if console.json:
        console.document(answer)
        return
    made = _Fault.model_validate(answer)
    console.answer(f"✓ fault {made.id}: {made.text}")
    console.next_step("bmn sandbox faults", "bmn sandbox clear")


@app.command(cls=examples("bmn sandbox replay 7f3a", "bmn --profile production sandbox replay 7f3a"))
def replay(job: Annotated[str, typer.Argument(metavar="JOB", help="4 or more characters of its id.")]) -> None:
    """Sets a real job's provider failures as faults of this machine's sandbox, so that it fails here as it did there.

    Takes the right to see others' jobs on the server that has it, and no provider's key.
    """
    from bmn.cli.base import run as run_coroutine
    from bmn.cli.following.faults import faults_of
    from bmn.cli.lookup.job_lookup import find_job
    from bmn.cli.lookup.server_lookup import open_client
    from bmn.schemas.documents import JobRecord, ProviderCalls
    from bmn.schemas.generators import KIND_OF

    async def fetch() -> tuple[JobRecord, ProviderCalls]:
        async with open_client(role="admin") as client:
            job_id = await find_job(client, job, of_whom={"all": True})
            return await client.job(job_id), await client.calls(job_id)

    record, found = run_coroutine(fetch())
    rules = faults_of(found.calls)
    if not rules:
        raise UsageProblem(
            f"No provider has failed {record.job_id}: there is nothing for the sandbox to play.",
            hint=f"See `bmn jobs why {record.job_id} --everyone`.",
        )
    made = [_ask("POST", "/_sandbox/faults", json=rule) for rule in rules]
    if console.json:
        console.document({"jobId": record.job_id, "faults": made})
        return
    for each in map(_Fault.model_validate, made):
        console.answer(f"✓ fault {each.id}: {each.text}")
    console.say(f"{count(len(found.calls), 'call')} of {record.job_id}, which ended as {record.state}")
    again = (f"bmn generate {KIND_OF[record.queue_name].name}",) if record.queue_name in KIND_OF else ()
    console.next_step(*again, "bmn sandbox faults", "bmn sandbox clear")


@app.command(cls=examples("bmn sandbox faults", "bmn sandbox faults --json"))
def faults() -> None:
    """The faults that are set, and how often each has hit."""
    found = _ask("GET", "/_sandbox/faults")
    if console.json:
        console.document(found)
        return
    if not found:
        console.answer("no faults are set")
    for fault in map(_Fault.model_validate, found):
        console.answer(f"{fault.id:>3}  {fault.text}  ({fault.hits} hits{', over' if fault.spent else ''})")
    console.next_step("bmn sandbox clear" if found else "bmn sandbox fail bfl --status 503 --times 3")


@app.command(cls=examples("bmn sandbox clear", "bmn sandbox clear bfl"))
def clear(provider: Annotated[str | None, typer.Argument()] = None) -> None:
    """Ends all faults, or one provider's."""
    answer = _ask("DELETE", "/_sandbox/faults", params={"provider": provider} if provider else {})
    if console.json:
        console.document(answer)
        return
    console.answer(f"✓ {count(answer['cleared'], 'fault')} ended")


@app.command(cls=examples("bmn sandbox ledger", "bmn sandbox ledger --provider bfl --json"))
def ledger(
    provider: Annotated[str | None, typer.Option(metavar="NAME", help="Only this provider's.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="A span (1h), or an ISO time.")] = None,
) -> None:
    """Every call that would have been billed: provider, model, unit, usd, time."""
    from bmn.cli.terminal.timespan import seconds_ago

    try:
        after = str(time.time() - seconds_ago(since)) if since else None
    except ValueError as error:
        raise UsageProblem(str(error)) from error
    query = {name: value for name, value in (("provider", provider), ("since", after)) if value}
    rows = _ask("GET", "/_sandbox/ledger", params=query)
    if console.json:
        console.document(rows)
        return
    billed = [_Billed(*(row.get(field.name) for field in fields(_Billed))) for row in rows]
    console.table(_LEDGER, [row.cells for row in billed])
    console.answer(f"{len(billed)} calls, ${sum(row.usd for row in billed):.2f}, none of it billed by anybody")


class _Fault(BaseModel):
    """A fault of the sandbox; what else it says is how it hits. spent: it has hit as often as it was to."""

    model_config = ConfigDict(extra="allow")

    id: int
    provider: str
    hits: int
    spent: bool

    @property
    def text(self) -> str:
        """Whom it hits and how."""
        return " ".join([self.provider, *(f"{name}={value}" for name, value in (self.model_extra or {}).items())])


@dataclass(frozen=True, slots=True)
class _Billed:
    """A call of the sandbox's ledger. time: seconds since 1970."""

    time: float
    provider: str
    model: str
    units: float
    unit: str
    usd: float
    prompt: str | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row of the table."""
        return (
            datetime.fromtimestamp(self.time).strftime("%H:%M:%S"),
            self.provider,
            self.model,
            f"{self.units:g} {self.unit}",
            f"{self.usd:.4f}",
            self.prompt or "",
        )


_LEDGER = (
    Column("TIME"),
    Column("PROVIDER"),
    Column("MODEL", drop=1),
    Column("UNITS", right=True),
    Column("USD", right=True),
    Column("PROMPT", flexible=True, drop=2),
)


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
