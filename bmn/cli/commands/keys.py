"""`bmn keys`: API keys, for whoever signs in without a browser. `--local` makes the first admin's."""

import getpass
from typing import Annotated
from uuid import UUID, uuid4

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reason, span
from bmn.cli.terminal.timespan import ago
from bmn.errors import UsageProblem
from bmn.schemas.base import Role
from bmn.schemas.documents import KeyRecord, MadeKey
from bmn.settings import load_settings

Local = Annotated[
    bool, typer.Option("--local", help="In the database itself (DATABASE_URL), without a server or an admin.")
]

_COLUMNS = (
    Column("KEY"),
    Column("ROLE"),
    Column("ACTS AS", drop=3),
    Column("CREATED", drop=2),
    Column("EXPIRES", drop=1),
    Column("USED", drop=4),
    Column("NAME", flexible=True),
)

app = group(
    "API keys: who may do what without a browser.",
    "bmn keys create --role operator --expires 90d",
    "bmn keys create --role admin --local              # the first admin's",
)


@app.command(
    cls=examples("bmn keys create --role viewer --name wallboard", "bmn keys create --role service --expires 90d")
)
def create(
    role: Annotated[Role, typer.Option("--role", help="What it may do.")],
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="What it is for.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="Whom it acts as; you by default.")] = None,
    expires: Annotated[
        float | None, typer.Option("--expires", parser=span, metavar="SPAN", help="After 90d, 12h; never by default.")
    ] = None,
    reason: Reason = None,
    local: Local = False,
) -> None:
    """Makes a key and prints it, this once: what is kept is a digest."""
    called = name or f"{role.value} of {getpass.getuser()}"
    user_id, lives = _user(user), int(expires) if expires else None

    async def act() -> MadeKey:
        if local:
            from bmn.local.local_keys import create_key, key_database

            async with key_database(load_settings()) as db:
                return await create_key(db, called, role, user_id or str(uuid4()), lives, reason)
        async with open_client(role="admin") as client:
            return await client.create_key(called, role.value, user_id=user_id, expires_in=lives, reason=reason)

    made = run(act())
    if console.json:
        console.document(made)
        return
    console.answer(made.key)
    until = f", until {made.expires_at}" if made.expires_at else ""
    console.say(f"{made.name}: role {made.role}, acts as {made.user_id}{until}. It is not shown again.")
    console.next_step("bmn login", f"bmn keys revoke {made.id}")


@app.command("list", cls=examples("bmn keys list", "bmn keys list --all"))
def list_keys(
    ended: Annotated[bool, typer.Option("--all", help="Revoked and expired ones, too.")] = False, local: Local = False
) -> None:
    """The keys that sign in, the newest first."""

    async def fetch() -> list[KeyRecord]:
        if local:
            from bmn.local.local_keys import key_database
            from bmn.local.local_keys import list_keys as list_rows

            async with key_database(load_settings()) as db:
                return await list_rows(db, ended=ended)
        async with open_client(role="admin") as client:
            return await client.keys(ended=ended)

    found = run(fetch())
    if console.json:
        console.document({"keys": found})
        return
    if not found:
        console.say("No keys.")
        console.next_step("bmn keys create --role operator")
        return
    console.table(_COLUMNS, [_row(key) for key in found])
    console.next_step(f"bmn keys revoke {found[0].id}")


def _row(key: KeyRecord) -> tuple[Cell, ...]:
    return key.id, key.role, key.user_id, _when(key.created_at), _end(key), _when(key.last_used_at) or "never", key.name


def _end(key: KeyRecord) -> Cell:
    if key.revoked_at:
        return f"revoked {_when(key.revoked_at)}", "dim"
    if not key.expires_at:
        return "never"
    return _when(key.expires_at)


def _when(time: str | None) -> str:
    if not time:
        return ""
    return ago(time) if console.width is not None else time


@app.command(cls=examples("bmn keys revoke 3f9c02aa71be", "bmn keys revoke 3f9c02aa71be --reason lost"))
def revoke(
    keys: Annotated[list[str], typer.Argument(metavar="KEY")], reason: Reason = None, local: Local = False
) -> None:
    """Ends keys for good: requests within two seconds, sockets and streams some seconds later."""

    async def act() -> list[KeyRecord]:
        if local:
            from bmn.local.local_keys import key_database, revoke_key

            async with key_database(load_settings()) as db:
                return [await revoke_key(db, key, reason) for key in map(_id, keys)]
        async with open_client(role="admin") as client:
            return [await client.revoke_key(key, reason=reason) for key in map(_id, keys)]

    done = run(act())
    if console.json:
        console.document({"keys": done})
        return
    for key in done:
        console.answer(f"{key.id}  revoked, {key.role}, {key.name}")
    console.next_step("bmn keys list")


def _user(text: str | None) -> str | None:
    """Raises UsageProblem for what is no user's id."""
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        raise UsageProblem(f"{text!r} is not a user's id.", hint="It is a UUID.") from None


def _id(text: str) -> str:
    """A key's id, also out of the whole key. Raises UsageProblem for what cannot be one."""
    found = text.removeprefix("bmn_live_")[:12]
    if not found.isalnum():
        raise UsageProblem(f"{found!r} is no key's id.", hint="`bmn keys list` shows them.")
    return found
