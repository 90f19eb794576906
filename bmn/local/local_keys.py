"""API keys made right in the database: for the first admin, whom no admin could have made."""

import getpass
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bmn.db.accounts import api_keys
from bmn.db.accounts.audit_store import Actor
from bmn.db.engine import Database
from bmn.db.migrations import pending_migrations
from bmn.errors import Misconfigured
from bmn.identity.key_format import mint_key, new_row
from bmn.schemas.base import Role
from bmn.schemas.documents import KeyRecord, MadeKey
from bmn.server.answers import operator_views
from bmn.settings import Settings


@asynccontextmanager
async def key_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of these settings, open. Raises TryLater, and Misconfigured where it is not of this release."""
    if pending_migrations(settings.database_address):
        raise Misconfigured("The database is not of this release yet.", hint="Run `bmn db upgrade` first.")
    db = Database(settings.database_address, readers=1)
    await db.start()
    try:
        yield db
    finally:
        await db.close()


async def create_key(
    db: Database, name: str, role: Role, user_id: str, lives: float | None, reason: str | None
) -> MadeKey:
    """A new key, with its text, which is kept nowhere. lives: seconds until it expires; None for never."""
    minted = mint_key()
    new = new_row(minted, name, role, user_id, lives)
    row = await db.write(lambda conn: api_keys.create(conn, new, by=_here(), reason=reason))
    return MadeKey(**dict(operator_views.api_key(row)), key=minted.text)


async def list_keys(db: Database, *, ended: bool) -> list[KeyRecord]:
    """The newest first. ended: revoked and expired ones too."""
    return [operator_views.api_key(row) for row in await db.read(lambda conn: api_keys.listed(conn, ended=ended))]


async def revoke_key(db: Database, key_id: str, reason: str | None) -> KeyRecord:
    """Ends a key. Raises NotFound."""
    return operator_views.api_key(await db.write(lambda conn: api_keys.revoke(conn, key_id, by=_here(), reason=reason)))


def _here() -> Actor:
    """Whoever has this machine's account, which is how far a database can tell."""
    return Actor(f"local:{getpass.getuser()}"[:128], address=socket.gethostname()[:64])
