"""Whose records a request is about: the caller's, another user's, or everybody's."""

from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from bmn.db.accounts import credits
from bmn.errors import NotAllowed
from bmn.identity.rights import Right
from bmn.identity.tokens import Principal
from bmn.schemas.base import Text
from bmn.server.resources import Resources

UserName = Annotated[Text, StringConstraints(min_length=1, max_length=254)]
"""A user's id, or the mail address of their account."""

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
    return await res.core.db.read(lambda conn: credits.find_user(conn, user))


def check_words(principal: Principal, text: str | None) -> None:
    """Raises NotAllowed where somebody looks for words who may not see what users have written."""
    if text and not principal.may(Right.OWN):
        raise NotAllowed("A viewer does not search in what users have written.")
