"""Personal data of others: hidden even from operators, shown to those who say why, which is written down."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import StringConstraints

from bmn.db.accounts import audit
from bmn.errors import NotAllowed, UsageProblem
from bmn.identity.rights import Right, roles_with
from bmn.identity.tokens import Principal
from bmn.schemas.base import Text
from bmn.server.dependencies import Caller, acting, viewer
from bmn.server.resources import Resources
from bmn.server.sessions import require_own_page

Reveal = Annotated[
    bool, Query(description="operators: with what users have said, made and are called by; needs `reason`, is audited")
]
Reason = Annotated[
    Annotated[Text, StringConstraints(max_length=500)] | None, Query(description="why; goes into the audit log")
]
_OF_THE_LOOK = ("reveal", "reason", "cursor", "limit", "after", "wait", "token")
_KINDS = {"key": "file"}
_SUBJECT = 256  # characters


async def looker(request: Request, principal: Caller, reveal: Reveal = False, reason: Reason = None) -> Principal:
    """The signed-in caller; one that reveals, if they ask for it. Raises NotAllowed, UsageProblem without a reason."""
    return await _revealing(request, principal, reason) if reveal else principal


async def onlooker(
    request: Request,
    visitor: Annotated[Principal, Depends(viewer)],
    reveal: Reveal = False,
    reason: Reason = None,
) -> Principal:
    """The same for pages, where a link on another site reveals nothing."""
    if not reveal:
        return visitor
    require_own_page(request)
    return await _revealing(request, visitor, reason)


Looker = Annotated[Principal, Depends(looker)]
Onlooker = Annotated[Principal, Depends(onlooker)]


def revealing(principal: Principal) -> str:
    """What to add to the query of the next page of the same; empty for who reveals nothing."""
    return "" if principal.reveals is None else urlencode({"reveal": "true", "reason": principal.reveals})


async def _revealing(request: Request, principal: Principal, reason: str | None) -> Principal:
    if not principal.may(Right.REVEAL):
        roles = " or ".join(roles_with(Right.REVEAL))
        raise NotAllowed(
            "Your role does not see what users have said and made.",
            hint=f"It takes the role {roles}; yours is {principal.role.value}. One's own is shown whole without it.",
        )
    if not (reason and reason.strip()):
        raise UsageProblem("To see what users have said and made, say why.", hint="`reason` goes into the audit log.")
    kind, subject = _subject(request)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in _OF_THE_LOOK]
    look = audit.Look(kind, subject, reason.strip(), urlencode(asked) or None)
    res: Resources = request.app.state.resources
    await res.core.db.write(lambda conn: audit.note_look(conn, acting(principal, request), look))
    return replace(principal, reveals=reason.strip())


def _subject(request: Request) -> tuple[str, str]:
    """What is looked at: a kind and an id, or, of a list, its name twice."""
    for name, value in request.path_params.items():
        return _KINDS.get(name, name.removesuffix("_id")), str(value)[:_SUBJECT]
    listed = request.url.path.rstrip("/").rpartition("/")[2]
    return listed, listed
