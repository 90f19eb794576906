"""What a client's message goes through, whatever it asks: limits, its shape, the handler, and an answer in any case."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bmn.broker.shared_rate import Allowance
from bmn.errors import BmnError, TryLater, UsageProblem
from bmn.jobs.core import Core
from bmn.logs import bind, get_logger
from bmn.schemas.base import Model
from bmn.schemas.events import Answer, Done, Refusal
from bmn.schemas.wording import flaws
from bmn.server.access.bounds import keep_within, named_in
from bmn.server.access.permissions import require_event
from bmn.server.sockets.delivery import Delivery
from bmn.server.sockets.limits import Limits
from bmn.server.sockets.ring import Ring
from bmn.server.sockets.session import Session, Sessions
from bmn.server.sockets.store import SessionStore
from bmn.signing import Signer

log = get_logger(__name__)

DONE = Done(ok=True)


@dataclass(frozen=True, slots=True)
class SocketContext:
    """What handlers work with. messages: what users may send, with all processes together."""

    core: Core
    signer: Signer
    sessions: Sessions
    ring: Ring
    delivery: Delivery
    store: SessionStore
    messages: Allowance
    limits: Limits

    async def enter(self, session: Session, room: str) -> None:
        """Raises UsageProblem where the socket sits in too many rooms."""
        self.check_room(session, room)
        self.sessions.enter(session, room)
        await self.save(session)

    def check_room(self, session: Session, room: str) -> None:
        """Raises UsageProblem where the socket would sit in too many rooms."""
        if room not in session.rooms and len(session.rooms) > self.limits.rooms:
            raise UsageProblem(f"Too many rooms: a socket may sit in {self.limits.rooms}")

    async def leave(self, session: Session, room: str) -> None:
        """Leaves a room."""
        self.sessions.leave(session, room)
        await self.save(session)

    async def save(self, session: Session) -> None:
        """Keeps the session for a reconnect."""
        await self.store.save(session, spare=self.limits.save_seconds)


@dataclass(frozen=True, slots=True)
class Handler:
    """required: the field without which there is nothing to answer. failed: the words for a fault of ours.

    unknown: the words for what is no id, which cannot name anything: those for an id that names nothing.
    """

    model: type[Model]
    run: Callable[[SocketContext, Session, Any], Awaitable[Answer]]
    required: str = ""
    failed: str = "Failed"
    unknown: str = ""


Handlers = dict[str, Handler]


async def answer(
    context: SocketContext, handlers: Handlers, session: Session, event: Any, args: list[Any]
) -> Mapping[str, object]:
    """The acknowledgement of one message. Never raises for anything that a client can send."""
    if not session.bucket.take() or session.pending >= context.limits.in_work:
        return _too_many(context, session)
    session.pending += 1
    try:
        if not await context.messages.take(session.counted_as):
            return _too_many(context, session)
        session.refused = 0
        handler = handlers.get(event) if isinstance(event, str) else None
        if handler is None:
            return Refusal(error="Unknown event").dump()
        with bind(user_id=session.user_id, event_name=event):
            return (await _run(context, handler, session, event, args)).dump()
    finally:
        session.pending -= 1


def _too_many(context: SocketContext, session: Session) -> Mapping[str, object]:
    session.refused += 1
    return Refusal(error=f"Too many messages: at most {context.limits.rate:g} a second").dump()


async def _run(context: SocketContext, handler: Handler, session: Session, event: str, args: list[Any]) -> Answer:
    try:
        # Looked at for each message, since a role may have been lost since the socket joined.
        require_event(session.principal, session.namespace, event)
        asked = _read(handler, args[0] if args else None)
        await keep_within(context.core.db, session.principal, named_in(asked))
        async with asyncio.timeout(context.limits.handler_seconds):
            return await handler.run(context, session, asked)
    except TryLater as error:
        return Refusal(error=error.message, retry_after=error.retry_after)
    except BmnError as error:
        return Refusal(error=error.message)
    except Exception:
        log.exception("socket handler failed")
        return Refusal(error=handler.failed)


def _read(handler: Handler, data: Any) -> Model:
    """Raises UsageProblem. Fields that we do not know are left out, since clients of other servers may send them."""
    fields = data if isinstance(data, dict) else {}
    if handler.required and not fields.get(handler.required):
        raise UsageProblem(f"{handler.required} required")
    known = {field.alias or name for name, field in handler.model.model_fields.items()}
    try:
        return handler.model.model_validate({name: value for name, value in fields.items() if name in known})
    except ValidationError as error:
        if handler.unknown:
            raise UsageProblem(handler.unknown) from None
        raise UsageProblem(str(flaws(error)[0])) from None
