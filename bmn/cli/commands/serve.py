"""`bmn serve`: everything on this machine, in one terminal."""

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from bmn.cli.base import examples, single
from bmn.cli.terminal.console import console
from bmn.errors import Conflict, Misconfigured, UsageProblem
from bmn.lifeline import lifeline
from bmn.local.temporary import private_stack
from bmn.settings import Settings, load_settings, origin_of
from bmn.settings.running import PRIVATE
from bmn.settings.web import bracketed, reachable

__all__ = ["private_stack", "serve"]

_SANDBOX_PORT_AFTER = 999  # 3000 has its sandbox at 3999
_TELL_EVERY = 5.0


@dataclass(slots=True)
class _Plan:
    """What was asked for, and what became of it."""

    settings: Settings
    queues: list[str]
    grace: float | None
    ephemeral: bool
    open_page: bool
    api_processes: int = 1
    joins: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def api_url(self) -> str:
        return f"http://{bracketed(reachable(self.settings.bmn_host))}:{self.settings.port}"


app = single()


@app.command(
    cls=examples(
        "bmn serve",
        "bmn serve --port 3001 --open",
        "bmn serve --no-workers          # then, elsewhere: bmn worker logo-generation",
        "bmn serve --no-workers --api-processes 4",
        "bmn serve --reset               # begin with empty data",
    )
)
def serve(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Where the API listens; 0 takes any free port. [3000]"),
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Which address it listens on. [127.0.0.1]")] = None,
    no_workers: Annotated[
        bool, typer.Option("--no-workers", help="Serve only; joins a `bmn serve` that runs in this home.")
    ] = False,
    queues: Annotated[str, typer.Option(metavar="A,B", help="Work on these queues only. [all of them]")] = "",
    api_processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Processes that answer at the port. [1]")
    ] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Refuse to start where a provider has no key.")
    ] = False,
    sandbox_speed: Annotated[float | None, typer.Option(min=0, hidden=True)] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    grace: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Time for running jobs to finish. [120]")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Remove all data of this home first.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask before a reset.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="The whole log; else, on a terminal, a line a job.")
    ] = False,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", hidden=True)] = False,
) -> int:
    """Runs API, workers, queue and, where a provider has no key, its stand-in. Ctrl-C stops it in order."""
    from bmn import logs
    from bmn.local.processes import queues_named

    os.umask(0o077)
    chosen: dict[str, Any] = {
        "port": 0 if ephemeral else port,
        "bmn_host": host,
        "bmn_sandbox_speed": sandbox_speed,
    }
    if origin_of("bmn_log_level") == "default":
        chosen["bmn_log_level"] = _log_level(ephemeral=ephemeral, verbose=verbose)
    settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
    level = settings.bmn_log_level
    # What this process has to say is few lines, and who presses Ctrl-C waits for them.
    logs.configure("info" if level == "jobs" else level, settings.bmn_log_format, process="serve")
    if no_workers and queues:
        raise UsageProblem("--no-workers and --queues contradict each other.", hint="Leave one of them out.")
    wanted = [] if no_workers else queues_named([name.strip() for name in queues.split(",") if name.strip()])
    _refuse_unsafe(settings, no_sandbox)
    plan = _Plan(settings, wanted, grace, ephemeral, open_page, api_processes or 1)
    if no_workers and not reset and settings.running.get("redis_url"):
        _refuse_another_redis(settings)
        plan.joins = True
        return _run(plan)
    from bmn.local.home import home_lock

    with home_lock(settings, PRIVATE if ephemeral else "bmn serve"):
        if reset:
            _reset(settings, yes)
        return _run(plan)


def _log_level(*, ephemeral: bool, verbose: bool) -> str:
    """How much is logged where nobody says it. What no person reads as it comes is a log, and wants all of it."""
    if ephemeral:
        return "warning"
    return "jobs" if sys.stderr.isatty() and not verbose else "info"


def _refuse_unsafe(settings: Settings, no_sandbox: bool) -> None:
    from bmn import logs
    from bmn.local.start import check_before_start

    for warning in check_before_start(settings):
        logs.get_logger(__name__).warning(warning)
    missing = settings.missing_providers()
    if missing and (no_sandbox or settings.is_production):
        raise Misconfigured(
            f"No key for {', '.join(missing)}, and the sandbox may not stand in.",
            hint="`bmn config` names the variable of each key.",
        )
    if missing and not settings.sandbox_address:
        from bmn.local.sandbox import require_sandbox

        require_sandbox(missing)


def _refuse_another_redis(settings: Settings) -> None:
    """Servers of one home share their rows; on two brokers, each would miss what the other publishes."""
    if settings.redis_is_configured and settings.redis_address != settings.running["redis_url"]:
        raise Conflict(
            f"The `bmn serve` that runs in {settings.bmn_home} uses another Redis than REDIS_URL names.",
            hint="Unset REDIS_URL to join it, or name another BMN_HOME.",
        )


def _reset(settings: Settings, yes: bool) -> None:
    from bmn.local.home import data_in, remove_data

    found = data_in(settings)
    if not found:
        return
    names = ", ".join(path.name for path in found)
    if not yes:
        if not console.interactive:
            raise UsageProblem(f"--reset would remove {names} in {settings.bmn_home}.", hint="Add --yes to do it.")
        if not console.confirm(f"Remove {names} in {settings.bmn_home}? Jobs, pictures and credits are lost."):
            raise typer.Abort
    remove_data(settings)
    console.say(f"removed {names}")


def _run(plan: _Plan) -> int:
    """Starts the processes, then watches them until the end."""
    from setproctitle import setproctitle

    from bmn import logs
    from bmn.local import home
    from bmn.local.processes import API, REDIS, SANDBOX, WORKERS, preload, shared_out
    from bmn.local.supervisor import Hooks, Supervisor

    log = logs.get_logger(__name__)
    closed = {
        WORKERS: ("workers closed", "queues closed"),
        API: ("sockets closed",),
        SANDBOX: ("sandbox closed",),
        REDIS: ("Redis closed",),
    }
    told = 0.0

    def waiting(names: list[str], left: float) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            log.info("waiting, the next Ctrl-C hurries", processes=", ".join(names), seconds_left=round(left))

    def stopped(order: int) -> None:
        for line in closed[order]:
            log.info(line)

    with contextlib.ExitStack() as after:

        def ready() -> None:
            if not (plan.ephemeral or plan.joins):
                after.enter_context(home.published(plan.settings, _addresses(plan)))
            _announce(plan)

        supervisor = Supervisor(hooks=Hooks(ready=ready, waiting=waiting, stopped=stopped))
        setproctitle("bmn serve")
        stack = _open(plan, supervisor)
        after.callback(stack.close)
        try:
            stack.start_redis()
            stack.start_sandbox(plan.settings.bmn_sandbox_speed)
            preload(server=True)
            prepare_database(plan.settings)
            stack.wait_for_redis()
            stack.take_redis()
            stack.start_api(plan.api_processes)
            for queues in shared_out(plan.queues):
                stack.start_workers(queues, grace=plan.grace)
        except BaseException:
            supervisor.stop()
            raise
        code = supervisor.run()
        if not stack.redis:
            log.info("Redis closed")  # nobody is left who talks to it
        return code


def _open(plan: _Plan, supervisor: Any) -> Any:
    """Binds the ports, so that a busy one is told before anything runs, and fills in every address."""
    from bmn.broker.embedded import EmbeddedRedis
    from bmn.local.home import listen
    from bmn.local.processes import Stack, with_addresses

    settings = plan.settings
    api = listen(settings.bmn_host, settings.port)
    port = api.getsockname()[1]
    if plan.joins:
        running = settings.running
        plan.settings = with_addresses(
            settings, port=port, redis_url=running["redis_url"], sandbox_url=running.get("sandbox_url", "")
        )
        return Stack(plan.settings, supervisor, api=api)
    sandbox = None
    if settings.missing_providers() and not settings.is_production and not settings.bmn_sandbox_url:
        try:
            sandbox = listen("127.0.0.1", 0 if plan.ephemeral or not settings.port else _sandbox_port(settings.port))
        except Conflict:
            sandbox = listen("127.0.0.1", 0)
    redis = None if settings.redis_is_configured else EmbeddedRedis(settings.bmn_home / "redis")
    plan.settings = with_addresses(
        settings,
        port=port,
        redis_url=redis.url if redis else settings.redis_address,
        sandbox_url=f"http://127.0.0.1:{sandbox.getsockname()[1]}" if sandbox else "",
    )
    return Stack(plan.settings, supervisor, redis=redis, api=api, sandbox=sandbox)


def _sandbox_port(port: int) -> int:
    return port + _SANDBOX_PORT_AFTER if port + _SANDBOX_PORT_AFTER <= 65535 else 0


def prepare_database(settings: Settings, *, may_migrate: bool = True) -> None:
    """Brings SQLite to this release; elsewhere only looks. Raises Misconfigured where an upgrade is due."""
    from bmn.db.migrations import migrate, pending_migrations

    address = settings.database_address
    if may_migrate and address.startswith("sqlite"):
        migrate(address)
    elif pending := pending_migrations(address):
        from bmn.db.operators.alerts import open_at
        from bmn.jobs.alerts import migration_due

        open_at(address, migration_due(len(pending)))
        raise Misconfigured(
            f"The database is not at this release: {len(pending)} migrations are due.", hint="Run: bmn db upgrade"
        )


def _addresses(plan: _Plan) -> dict[str, str]:
    settings = plan.settings
    return {
        "api_url": plan.api_url,
        "redis_url": settings.redis_address,
        "sandbox_url": settings.sandbox_address,
    }


def _announce(plan: _Plan) -> None:
    """Everything runs: says where. With --json one document, whose keys scripts may rely on."""
    settings = plan.settings
    if console.json:
        document = {
            "apiUrl": plan.api_url,
            "sandboxUrl": settings.sandbox_address or None,
            "home": str(settings.bmn_home),
            "queues": plan.queues,
            "pid": os.getpid(),
            "readyMs": round((time.monotonic() - plan.began) * 1000),
        }
        console.json_line(document)
    elif not plan.ephemeral:
        for line in _block(plan):
            console.answer(line)
        sys.stdout.flush()
    if plan.open_page:
        _open_page(plan)


def _open_page(plan: _Plan) -> None:
    """Lets `bmn open` sign the browser in: it needs an event loop, and this process must not have one."""
    subprocess.Popen(
        lifeline([sys.executable, "-P", "-m", "bmn", "open"]),
        env={**os.environ, "BMN_HOME": str(plan.settings.bmn_home), "BMN_API_URL": plan.api_url},
        stdout=subprocess.DEVNULL if console.json else None,
    )


def _block(plan: _Plan) -> list[str]:
    from bmn.settings import PROVIDERS
    from bmn.work.queue_names import QUEUE_NAMES

    settings = plan.settings
    sandboxed = [name for name in settings.missing_providers() if settings.sandbox_address]
    local = "everything is local, no keys needed" if len(sandboxed) == len(PROVIDERS) else "ready"
    redis = "embedded valkey (AOF)" if settings.redis_address.startswith("unix://") else "Redis"
    database = "sqlite" if settings.database_address.startswith("sqlite") else "postgresql"
    each = "one for each queue" if set(plan.queues) == set(QUEUE_NAMES) else " ".join(plan.queues)
    rows = [
        ("API", f"{plan.api_url:<40}docs /docs"),
        ("Gallery", f"{plan.api_url + '/g':<40}bmn open"),
        ("Queues", f"{plan.api_url + '/admin/queues':<40}bmn admin open"),
        ("Mailbox", "" if settings.is_production else f"{plan.api_url}/dev/mail"),
        ("Sandbox", f"{settings.sandbox_address}  {' '.join(sandboxed)}" if sandboxed else ""),
        ("Workers", each or "none here: bmn worker all"),
        ("Data", f"{database} + {redis}, {_short(settings.bmn_home)}"),
        ("Reset", "bmn serve --reset"),
        ("Token", "export BMN_TOKEN=$(bmn token)"),
        ("Next", 'bmn generate logos --brand "Acme Roasters"'),
    ]
    took = time.monotonic() - plan.began
    return [f"bmn serve ─ {local} (ready in {took:.1f} s)", *(f"  {name:<11}{text}" for name, text in rows if text)]


def _short(path: Path) -> str:
    """The path with ~ for the user's own folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):  # it lies elsewhere; this user has no folder of its own
        return str(path)
