"""Whose records a request is about: the caller's, another user's, or everybody's."""

from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from bmn.db.accounts import audit_store, credit_store
from bmn.errors import NotAllowed
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.redaction import HIDDEN
from bmn.schemas.base import Text
from bmn.server.state.resources import Resources

UserName = Annotated[Text, StringConstraints(min_length=1, max_length=254)]
"""A user's id, or the mail address of their account."""

SAY_WHY = "To search in what users have written, say why: it goes into the audit log."

OfUser = Annotated[UserName | None, Query(description="admins: another user's, by id or mail address")]
OfEveryone = Annotated[bool, Query(alias="all", description="admins: everybody's")]


async def scope_of(res: Resources, principal: Principal, user: str | None, *, everyone: bool) -> str | None:
    """The id of the user whose records are meant; None for everybody's.

    Raises NotAllowed where somebody asks for those of others who may not see them, or by an address, which is personal;
    NotFound for an unknown address.
    """
    if not (user or everyone):
        return principal.user_id
    by_address = user is not None and "@" in user
    if not principal.may(Right.REVEAL if by_address else Right.SEE):
        raise NotAllowed("Only admins see the records of others.")
    if user is None:
        return None
    return await named_user(res, principal, user)


async def named_user(res: Resources, principal: Principal, name: str) -> str:
    """The id of the user whom an id or a mail address names. A look for an address of others is written down.

    Raises NotFound, UsageProblem where several have the address.
    """
    if "@" not in name:
        return name
    found = None
    try:
        found = await res.core.db.read(lambda conn: credit_store.find_user(conn, name))
    finally:
        # A reveal is written down with its answer; where nobody has the address there is none, and that says something too.
        if found is None or (principal.reveals is None and found != principal.user_id):
            look = audit_store.NotedLook("user", found or HIDDEN, None, "by mail address")
            await res.core.db.write(lambda conn: audit_store.note_look(conn, principal.actor(), look))
    return found


def check_words(principal: Principal, text: str | None, owner_id: str | None) -> None:
    """Raises NotAllowed where somebody looks for words in what others have written, and has not said why.

    owner_id: whose records are searched; None for everybody's.
    """
    if not text or principal.reveals is not None or (owner_id == principal.user_id and principal.may(Right.OWN)):
        return
    if not principal.may(Right.REVEAL):
        raise NotAllowed("A viewer does not search in what users have written.")
    raise NotAllowed(SAY_WHY, hint="Add `reveal=true` and `reason` to the query, or `--reveal REASON` to the command.")
