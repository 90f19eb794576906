"""What all operators' pages share: who looks, what they may press, and the reason that every act asks for."""

import time
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse

from bmn.format import against, counted, duration, usd
from bmn.identity.rights import RIGHTS, Right
from bmn.identity.tokens import Principal
from bmn.redaction import unhidden
from bmn.schemas.base import GivenReason
from bmn.schemas.documents import Job
from bmn.server.access.revealing import revealing
from bmn.server.pages import page_words
from bmn.server.pages.rendering import page

Why = Annotated[GivenReason, Form()]
"""The reason of an act, for the audit log."""


def show(
    request: Request, visitor: Principal, template: str, here: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page for operators. here: the part of the house that it is in."""
    return page(
        request,
        f"operators/{template}",
        status,
        visitor=visitor,
        may={right.value for right in RIGHTS[visitor.role]},
        here=here,
        kinds=page_words.KINDS,
        counted=counted,
        duration=duration,
        usd=usd,
        against=against,
        took=took,
        unhidden=unhidden,
        more=revealing(visitor),
        **values,
    )


def took(job: Job) -> str:
    """How long a job has run, or has been running."""
    if job.started_at is None:
        return "-"
    end = page_words.moment(job.completed_at) if job.completed_at else time.time()
    return duration(max(0.0, end - page_words.moment(job.started_at)))


def may_operate(visitor: Principal) -> bool:
    """Whether they may retry, cancel, replay, pause and resume."""
    return visitor.may(Right.OPERATE)
