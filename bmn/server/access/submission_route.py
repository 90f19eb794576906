"""The route of a submission: an ordinary one goes past what FastAPI does for every kind of request there is.

FastAPI describes it all the same, and answers whatever is not ordinary: another type of content, a body or a key that is
refused. So each error reads as it does elsewhere.
"""

import re
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from starlette.types import Message, Receive, Scope, Send

from bmn.errors import UsageProblem
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import submitting_caller
from bmn.server.edge.asgi import headers_of, is_body, part_of
from bmn.server.edge.bodies import given_again, whole
from bmn.server.edge.measured import check_size, read_json

_JSON = (b"application/json", b"application/json; charset=utf-8")
_KEY = re.compile(rb"[\x21-\x7e]{1,200}")


class SubmissionRoute(AskingRoute):
    """For endpoints of a `body`, the `request`, its `principal`, who is a generation's caller, and a `key`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._general = self.app
        self._body: type[BaseModel] = endpoint.__annotations__["body"]
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        headers = [(name, value) for name, value in headers_of(scope) if name in (b"content-type", b"idempotency-key")]
        said = dict(headers)
        raw = said.get(b"idempotency-key")
        key = raw.decode() if raw and _KEY.fullmatch(raw) and len(said) == len(headers) else None
        principal = await submitting_caller(
            request, key
        )  # before a body of strangers is waited for, read and understood
        message = await whole(receive)
        receive = given_again(message, receive)
        ordinary = len(said) == len(headers) and said.get(b"content-type") in _JSON
        body = self._understood(message) if ordinary and (raw is None or key) else None
        if body is None:
            await self._general(scope, receive, send)
            return
        answer = await self.endpoint(body, request, principal, key)
        if not isinstance(answer, Response):
            text = answer.model_dump_json(by_alias=True)
            answer = Response(text, self.status_code or 200, media_type="application/json")
        await answer(scope, receive, send)

    def _understood(self, message: Message) -> BaseModel | None:
        """The body, where nothing is wrong with it."""
        if not is_body(message):
            return None
        try:
            document = read_json(part_of(message))
            check_size(document)
            return self._body.model_validate(document)
        except (UsageProblem, ValidationError, ValueError, RecursionError):
            return None
