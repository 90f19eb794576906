"""`bmn doctor`: what is wrong here, and what to do about each thing."""

import asyncio
import contextlib
import shutil
import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from bmn.cli.base import examples, single
from bmn.cli.checks import (
    DoctorCheck,
    State,
    check_archive,
    check_clock,
    check_deployment,
    check_redis,
    check_storage,
    check_workers,
    is_to_be_made,
)
from bmn.cli.terminal.console import console
from bmn.errors import CAUSES, BmnError, Cause
from bmn.format import duration
from bmn.redaction import redact
from bmn.settings import PROVIDERS, Settings, load_settings, production_problems
from bmn.settings.proxies import proxies
from bmn.settings.start_checks import visited

_SYMBOLS: dict[State, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}
_LEAST_DISK_MB = 500
_LATE_SECONDS = 2 * 3600.0  # an hourly cleanup and a sweep every minute have gone by


app = single()


@app.command(cls=examples("bmn doctor", "bmn doctor --deep", "bmn doctor --json"))
def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Also ask every provider, and send a job that costs nothing by every worker.")
    ] = False,
) -> int:
    """Looks at everything bmn stands on. Exit code 1 where something has failed.

    With --deep it also asks each provider whether it takes the key, by calls that cost nothing, and sends a job through
    every queue by every worker; its last line says whether the fleet works.
    """
    from bmn import logs
    from bmn.settings.foreign import drop_foreign

    drop_foreign()  # as the processes that it speaks for do
    logs.configure("error")  # what goes wrong is told by the checks
    checks = list(_examine(deep=deep))
    failed = sum(check.state == "failed" for check in checks)
    if console.json:
        console.document({"ok": not failed, "checks": [asdict(check) for check in checks]})
        return 1 if failed else 0
    for check in checks:
        _print(check)
    warnings = sum(check.state == "warning" for check in checks)
    console.answer(f"\n{failed} failed, {warnings} to look at" if failed or warnings else "\nall is well")
    if deep:
        broken = dict.fromkeys(check.name for check in checks if check.state == "failed")
        console.answer(f"the fleet does not work: {', '.join(broken)}" if broken else "the fleet works")
    served = any(check.name == "Server" and check.state == "ok" for check in checks)
    console.next_step("bmn config" if failed else "bmn queues" if served else "bmn serve")
    return 1 if failed else 0


def _print(check: DoctorCheck) -> None:
    symbol, color = _SYMBOLS[check.state]
    text = f"{symbol} {check.name:<12}{check.message}"
    if console.colored(sys.stdout):
        from rich.text import Text

        console.answer(Text.assemble((symbol, color), text[1:]))
    else:
        console.answer(text)
    if check.remedy:
        console.answer(f"  {'':<12}→ {check.remedy}")


def _examine(*, deep: bool) -> Iterator[DoctorCheck]:
    """All checks, the cheap and fundamental ones first. One that breaks is a failed check, never an end."""
    yield DoctorCheck("Python", "ok", ".".join(map(str, sys.version_info[:3])))  # an older one cannot install bmn
    try:
        settings = load_settings()
    except BmnError as error:
        yield DoctorCheck("Settings", "failed", error.message, error.hint)
        return
    looks: tuple[Callable[[Settings], Iterator[DoctorCheck]], ...] = (
        _production,
        _proxies,
        _home,
        _files,
        check_redis,
        _database,
        check_deployment,
        check_storage,
        check_archive,
        _keys,
        _identity,
        _server,
        check_workers,
    )
    if deep:
        from bmn.cli.deep import DEEP

        looks += DEEP
    for look in looks:
        name = look.__name__.removeprefix("check").strip("_").replace("_", " ").capitalize()
        try:
            yield from look(settings)
        except BmnError as error:
            yield DoctorCheck(name, "failed", error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - whatever broke is the finding
            yield DoctorCheck(
                name, "failed", f"{type(error).__name__}: {error}", "Run `bmn doctor --debug`, and report it."
            )
            console.traceback()


def _production(settings: Settings) -> Iterator[DoctorCheck]:
    for problem in production_problems(settings):
        yield DoctorCheck("Production", "failed", problem, "Production does not start before this is set.")


def _proxies(settings: Settings) -> Iterator[DoctorCheck]:
    for problem in proxies().check(visited(settings)):
        yield DoctorCheck(
            "Proxies", "warning", problem, "Nothing that is set needs it: name an HTTP proxy, or leave it so."
        )
    if ways := sorted({redact(proxy.url) for proxy in proxies().by_scheme.values() if proxy.is_spoken}):
        yield DoctorCheck("Proxies", "ok", f"{', '.join(ways)}; this machine is reached directly")


def _home(settings: Settings) -> Iterator[DoctorCheck]:
    home = settings.bmn_home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".doctor.{uuid.uuid4().hex}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        yield DoctorCheck(
            "Home", "failed", f"{home}: {error.strerror}", "Name a folder that you may write in BMN_HOME."
        )
        return
    free = shutil.disk_usage(home).free >> 20
    if free < _LEAST_DISK_MB:
        yield DoctorCheck("Home", "warning", f"{home}, {free} MB free", "Make room: pictures and records grow.")
    else:
        yield DoctorCheck("Home", "ok", f"{home}, {free / 1024:.0f} GB free")


def _files(settings: Settings) -> Iterator[DoctorCheck]:
    from bmn.local.start import check_files

    check_files(settings)
    yield DoctorCheck("Files", "ok", "prices and secrets can be read")


# --- records, objects, keys, server ---------------------------------------------------------------------------------


def _database(settings: Settings) -> Iterator[DoctorCheck]:
    from bmn.db.health.probe import probe, retention_lags
    from bmn.db.migrations import pending_migrations

    address = settings.database_address
    is_sqlite = address.startswith("sqlite")
    if is_to_be_made(settings):
        yield DoctorCheck("Database", "ok", "no SQLite file yet: `bmn serve` makes it")
        return
    found = probe(address)
    yield DoctorCheck("Database", "ok", f"{found.version} at {redact(address)}")
    if found.read_only:
        yield DoctorCheck("Database", "failed", "it is read-only", "Name the primary in DATABASE_URL.")
    if pending := pending_migrations(address):
        state: State = "warning" if is_sqlite else "failed"
        yield DoctorCheck("Migrations", state, f"{len(pending)} are due: {', '.join(pending)}", "Run: bmn db upgrade")
    else:
        yield DoctorCheck("Migrations", "ok", "at this release")
        yield _retention(retention_lags(address))
    if not is_sqlite:
        yield check_clock("PostgreSQL", found.skew)


def _retention(lags: dict[str, float]) -> DoctorCheck:
    late = {name: lag for name, lag in lags.items() if lag > _LATE_SECONDS}
    if not late:
        return DoctorCheck("Retention", "ok", "nothing is kept for longer than it should be")
    shown = ", ".join(f"{name.replace('_', ' ')} by {duration(lag)}" for name, lag in late.items())
    remedy = "Start a worker: whichever runs deletes what is old. Where one runs, its log says what holds it up."
    return DoctorCheck("Retention", "warning", f"behind: {shown}", remedy)


def _keys(settings: Settings) -> Iterator[DoctorCheck]:
    missing = settings.missing_providers()
    keyed = [name for name in PROVIDERS if name not in missing]
    if keyed:
        yield DoctorCheck("Keys", "ok", f"set for {', '.join(keyed)}")
    if not missing:
        return
    from bmn.local.sandbox_door import require_sandbox

    if settings.is_production:
        variables = ", ".join(PROVIDERS[name].key_field.upper() for name in missing)
        yield DoctorCheck("Keys", "failed", f"none for {', '.join(missing)}", f"Set {variables}.")
        return
    if not settings.sandbox_address:
        require_sandbox(missing)
    yield DoctorCheck("Keys", "ok", f"none for {', '.join(missing)}: the sandbox stands in")


def _identity(settings: Settings) -> Iterator[DoctorCheck]:
    from bmn.identity.development import supabase_is_configured
    from bmn.identity.pair import problems, token_problem

    if not supabase_is_configured(settings):
        return
    found = list(problems(settings))
    if (token := settings.bmn_token.get_secret_value()) and (refused := asyncio.run(token_problem(settings, token))):
        found.append(refused)
    for message, remedy in found:
        yield DoctorCheck("Sign-in", "failed", message, remedy)
    if not found:
        yield DoctorCheck(
            "Sign-in", "ok", f"{settings.supabase_url or 'a Supabase project'}: address, keys and issuer fit"
        )


def _server(settings: Settings) -> Iterator[DoctorCheck]:
    import httpx

    from bmn import __version__
    from bmn.outgoing import ask
    from bmn.schemas.documents import Liveness

    address = settings.api_address
    answer: Liveness | None = None
    with contextlib.suppress(httpx.HTTPError, ValueError):
        answer = Liveness.model_validate_json(ask(f"{address}/health/live", seconds=3).content)
    if answer is not None:
        if answer.version == __version__:
            yield DoctorCheck("Server", "ok", f"answers at {address}")
        else:
            text = f"{address} runs {answer.version}, this is {__version__}"
            yield DoctorCheck("Server", "warning", text, "Start the server again, or update this installation.")
        yield from _signed_in(settings, address)
        yield from _providers(address)
        return
    with socket.socket(socket.AF_INET6 if ":" in settings.bmn_host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.bmn_host, settings.port))
        except OSError as error:
            text = f"{settings.port} on {settings.bmn_host}: {error.strerror}"
            yield DoctorCheck("Port", "failed", text, "Stop the program that has it, or set PORT.")
        else:
            yield DoctorCheck("Port", "ok", f"{settings.port} is free; no server runs")


def _signed_in(settings: Settings, address: str) -> Iterator[DoctorCheck]:
    """A server of this machine with another home does not accept our tokens, so that every other command would fail."""
    import httpx

    from bmn.client.signin import is_local, refused_hint, token_source
    from bmn.identity.development import supabase_is_configured
    from bmn.outgoing import ask

    signs = not (settings.is_production or supabase_is_configured(settings) or settings.bmn_token.get_secret_value())
    if not signs or not is_local(settings, address):
        return
    headers = {"Authorization": f"Bearer {token_source(settings, address)()}"}
    with contextlib.suppress(httpx.HTTPError):
        answer = ask(f"{address}/api/v1/products", seconds=3, headers=headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            yield DoctorCheck(
                "Sign-in", "failed", f"{address} does not accept our tokens", refused_hint(settings, address)
            )


def _providers(address: str) -> Iterator[DoctorCheck]:
    import httpx

    from bmn.outgoing import ask
    from bmn.schemas.documents import Health

    with contextlib.suppress(httpx.HTTPError, ValueError):
        health = Health.model_validate_json(ask(f"{address}/health", seconds=5).content)
        for queue, cause in (health.checks.providers.degraded or {}).items():
            text = f"provider degraded: {queue} has paused itself of {cause}"
            yield DoctorCheck("Providers", "warning", text, f"{CAUSES[Cause(cause)].advice} See: bmn queues")
        for queue, provider in (health.checks.providers.stand_ins or {}).items():
            text = f"{provider} makes what {queue} orders, as its first provider is out"
            yield DoctorCheck(
                "Providers", "warning", text, "Fix the first one; it is asked again every minute. See: bmn alerts"
            )
