"""Personal data of others: hidden even from operators, shown to those who say why, which is written down."""

import re
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request

from bmn.db.accounts import audit_store, credit_store
from bmn.db.engine import Connection
from bmn.errors import NotAllowed, NotFound, UsageProblem
from bmn.identity.rights import Right, roles_with
from bmn.identity.tokens import Principal
from bmn.redaction import HIDDEN
from bmn.schemas import base
from bmn.server.access.dependencies import Caller, acting, viewer
from bmn.server.state.resources import Resources
from bmn.server.state.sessions import require_own_page

Reveal = Annotated[
    bool, Query(description="operators: with what users have said, made and are called by; needs `reason`, is audited")
]
Reason = Annotated[base.Reason | None, Query(description="why; goes into the audit log")]
_OF_THE_LOOK = ("reveal", "reason", "cursor", "limit", "after", "wait", "token", "job")
_KINDS = {"key": "file"}
_SUBJECT = 256  # characters
_LOOKS = "bmn.looks"
_MOST = 12  # jobs of one stream
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


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
    res: Resources = request.app.state.resources
    asked = [
        (name, await _without_address(res, name, value))
        for name, value in request.query_params.multi_items()
        if name not in _OF_THE_LOOK
    ]
    looks = [
        audit_store.NotedLook(kind, subject, reason.strip(), urlencode(asked) or None)
        for kind, subject in _subjects(request)
    ]
    request.scope[_LOOKS] = (acting(principal, request), looks)
    return replace(principal, reveals=reason.strip())


async def note_looks(request: Request) -> None:
    """Writes down what a route's answer reveals, before it is sent. A refusal raises, and has shown nobody anything; 412 and
    416 are answers, and say how large a file is and what is in it.
    """
    actor, looks = request.scope.pop(_LOOKS, (None, ()))
    if actor is None:
        return

    def note(conn: Connection) -> None:
        for look in looks:
            audit_store.note_look(conn, actor, look)

    res: Resources = request.app.state.resources
    await res.core.db.write(note)


async def _without_address(res: Resources, name: str, value: str) -> str:
    """What may be written down of a parameter: for a mail address its user's id, and no word of it where nobody has it."""
    if name != "user" or "@" not in value:
        return _ADDRESS.sub(HIDDEN, value)
    try:
        return await res.core.db.read(lambda conn: credit_store.find_user(conn, value))
    except (NotFound, UsageProblem):
        return HIDDEN


def _subjects(request: Request) -> list[tuple[str, str]]:
    """What is looked at: kinds and ids, or, of a list, its name twice."""
    for name, value in request.path_params.items():
        return [(_KINDS.get(name, name.removesuffix("_id")), str(value)[:_SUBJECT])]
    if named := request.query_params.getlist("job"):  # of a stream of several, each with where to go on
        return [("job", text.partition(":")[0][:_SUBJECT]) for text in dict.fromkeys(named)][:_MOST]
    listed = request.url.path.rstrip("/").rpartition("/")[2]
    return [(listed, listed)]
