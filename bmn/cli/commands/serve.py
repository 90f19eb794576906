"""`bmn serve`: everything on this machine, in one terminal."""

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bmn.cli.base import examples, single
from bmn.cli.terminal.console import console
from bmn.cli.terminal.starting import Starting
from bmn.errors import Conflict, Misconfigured, UsageProblem
from bmn.local.temporary import private_stack
from bmn.settings import Settings, load_settings, origin_of
from bmn.settings.running import PRIVATE

if TYPE_CHECKING:
    from bmn.cli.commands.serving import Plan
    from bmn.local.processes import Stack
    from bmn.local.supervisor import Supervisor

__all__ = ["private_stack", "serve"]

_SANDBOX_PORT_AFTER = 999  # 3000 has its sandbox at 3999


_Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="Where the API listens; 0 takes any free port. [3000]"),
]
_Host = Annotated[str | None, typer.Option(metavar="HOST", help="Which address it listens on. [127.0.0.1]")]
_NoWorkers = Annotated[
    bool, typer.Option("--no-workers", help="Serve only; joins a `bmn serve` that runs in this home.")
]
_Queues = Annotated[str, typer.Option(metavar="A,B", help="Work on these queues only. [all of them]")]
_ApiProcesses = Annotated[
    int | None, typer.Option(min=1, max=64, metavar="N", help="Processes that answer at the port. [1]")
]
_NoSandbox = Annotated[bool, typer.Option("--no-sandbox", help="Refuse to start where a provider has no key.")]
_Grace = Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Time for running jobs to finish. [120]")]
_Anew = Annotated[bool, typer.Option("--reset", help="Remove all data of this home first.")]
_Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask before a reset.")]
_Verbose = Annotated[bool, typer.Option("--verbose", help="The whole log; else, on a terminal, a line a job.")]


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
    port: _Port = None,
    host: _Host = None,
    no_workers: _NoWorkers = False,
    queues: _Queues = "",
    api_processes: _ApiProcesses = None,
    no_sandbox: _NoSandbox = False,
    sandbox_speed: Annotated[float | None, typer.Option(min=0, hidden=True)] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    grace: _Grace = None,
    reset: _Anew = False,
    yes: _Yes = False,
    verbose: _Verbose = False,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", hidden=True)] = False,
) -> int:
    """Runs API, workers, queue and, where a provider has no key, its stand-in. Ctrl-C stops it in order."""
    os.umask(0o077)
    with Starting(shown=not ephemeral) as starting:
        starting.at("reading the settings")
        from bmn import logs
        from bmn.cli.commands.serving import Plan
        from bmn.local.processes import queues_named

        chosen: dict[str, Any] = {
            "port": 0 if ephemeral else port,
            "bmn_host": host,
            "bmn_sandbox_speed": sandbox_speed,
        }
        if origin_of("bmn_log_level") == "default":
            chosen["bmn_log_level"] = _log_level(ephemeral=ephemeral, verbose=verbose)
        settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
        logs.configure(settings.bmn_log_level, settings.bmn_log_format, process="serve")
        if no_workers and queues:
            raise UsageProblem("--no-workers and --queues contradict each other.", hint="Leave one of them out.")
        wanted = [] if no_workers else queues_named([name.strip() for name in queues.split(",") if name.strip()])
        _refuse_unsafe(settings, no_sandbox)
        plan = Plan(settings, wanted, grace, ephemeral, open_page, starting, api_processes or 1)
        if no_workers and not reset and settings.running.redis_url:
            _refuse_another_redis(settings)
            plan.joins = True
            return _run(plan)
        from bmn.local.home import home_lock

        with home_lock(settings, PRIVATE if ephemeral else "bmn serve"):
            if reset:
                starting.over()
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
        from bmn.local.sandbox_door import require_sandbox

        require_sandbox(missing)


def _refuse_another_redis(settings: Settings) -> None:
    """Servers of one home share their rows; on two brokers, each would miss what the other publishes."""
    if settings.redis_is_configured and settings.redis_address != settings.running.redis_url:
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


def _run(plan: "Plan") -> int:
    """Starts the processes, then watches them until the end."""
    from setproctitle import setproctitle

    from bmn.cli.commands.serving import Farewell, addresses, announce
    from bmn.local import home
    from bmn.local.processes import API, REDIS, SANDBOX, WORKERS
    from bmn.local.supervisor import Hooks, Supervisor

    farewell = Farewell(
        {
            WORKERS: ("workers closed", "queues closed"),
            API: ("sockets closed",),
            SANDBOX: ("sandbox closed",),
            REDIS: ("Redis closed",),
        },
        plain=plan.settings.bmn_log_level == "jobs",
    )

    with contextlib.ExitStack() as after:

        def ready() -> None:
            if not (plan.ephemeral or plan.joins):
                after.enter_context(home.published(plan.settings, addresses(plan)))
            plan.starting.over()
            announce(plan)

        def awaited(names: list[str]) -> None:
            plan.starting.at(", ".join(names))

        hooks = Hooks(ready=ready, awaited=awaited, waiting=farewell.waiting, stopped=farewell.stopped)
        supervisor = Supervisor(hooks=hooks)
        setproctitle("bmn serve")
        stack = _open(plan, supervisor)
        after.callback(stack.close)
        try:
            _start(plan, stack)
        except BaseException:
            supervisor.stop()
            raise
        code = supervisor.run()
        if not stack.redis:
            farewell.stopped(REDIS)  # nobody is left who talks to it
        return code


def _start(plan: "Plan", stack: "Stack") -> None:
    from bmn.local.processes import preload, shared_out

    plan.starting.at("Redis, sandbox")
    stack.start_redis()
    stack.start_sandbox(plan.settings.bmn_sandbox_speed)
    plan.starting.at("loading what all processes share")
    preload(server=True)
    plan.starting.at("the database")
    prepare_database(plan.settings)
    stack.wait_for_redis()
    stack.take_redis()
    stack.start_api(plan.api_processes)
    for queues in shared_out(plan.queues):
        stack.start_workers(queues, grace=plan.grace)


def _open(plan: "Plan", supervisor: "Supervisor") -> "Stack":
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
            settings, port=port, redis_url=running.redis_url, sandbox_url=running.sandbox_url
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
        from bmn.db.operators.alert_store import open_at
        from bmn.jobs.alert_finders import migration_due

        open_at(address, migration_due(len(pending)))
        raise Misconfigured(
            f"The database is not at this release: {len(pending)} migrations are due.", hint="Run: bmn db upgrade"
        )
