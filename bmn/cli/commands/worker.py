"""`bmn worker`: workers for some queues, against the Redis and the database of this environment."""

import os
from typing import Annotated

import typer

from bmn.cli.base import examples, single
from bmn.errors import NoServer
from bmn.settings import load_settings

app = single()


@app.command(
    cls=examples(
        "bmn worker logo-generation",
        "bmn worker video-generation brand-wizard --concurrency 4",
        "bmn worker all --burst          # do what waits, then exit",
    )
)
def worker(
    queues: Annotated[list[str], typer.Argument(metavar="QUEUE...|all")],
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=500, metavar="N", help="Jobs at once, instead of the registry's.")
    ] = None,
    burst: Annotated[bool, typer.Option("--burst", help="Exit when nothing waits any more.")] = False,
    grace: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Time for running jobs to finish. [120]")
    ] = None,
) -> int:
    """Works on the named queues. Ctrl-C lets running jobs finish; a second one hands them on."""
    from bmn import logs
    from bmn.cli.commands.serve import prepare_database
    from bmn.local.processes import WORKERS, Stack, preload, queues_named, shared_out, with_addresses
    from bmn.local.start import check_before_start
    from bmn.local.supervisor import Hooks, Supervisor

    os.umask(0o077)  # pictures and logs are their owner's alone, as those of `bmn serve` are
    settings = load_settings()
    logs.configure(settings.bmn_log_level, settings.bmn_log_format, process="worker")
    names = queues_named(queues)
    warnings = check_before_start(settings, server=False)
    if not settings.redis_address:
        raise NoServer(
            "No Redis is configured, and no `bmn serve` runs in this home.",
            hint="Start `bmn serve --no-workers` in another terminal, or set REDIS_URL.",
        )
    log = logs.get_logger(__name__)
    for warning in warnings:
        log.warning(warning)
    closed = {WORKERS: "workers closed"}
    supervisor = Supervisor(
        hooks=Hooks(
            ready=lambda: log.info("workers ready, Ctrl-C stops them", queues=", ".join(names)),
            stopped=lambda order: log.info(closed[order]),
        )
    )
    preload(server=False)
    prepare_database(settings, may_migrate=False)
    stack = Stack(
        with_addresses(settings, redis_url=settings.redis_address, sandbox_url=settings.sandbox_address), supervisor
    )
    stack.take_redis()
    for queues_of_one in shared_out(names):
        stack.start_workers(queues_of_one, slots=concurrency, burst=burst, grace=grace)
    return supervisor.run()
