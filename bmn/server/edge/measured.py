"""How much a body may say: a small one can hold so many values that each word about it keeps everybody waiting. And how
often it may say one thing: of two values for one name one would win without a word.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from bmn.errors import UsageProblem
from bmn.server.edge.queries import kinds_in

_MOST = 2000  # the largest that any schema takes are a thousand ids and a document of 200 values
_DEEPEST = 32
_MARKS = 50_000  # brackets and commas, those in texts too
_TOO_MANY = f"The body holds more than {_MOST} values; send less at a time."
_TOO_DEEP = f"The body is nested deeper than {_DEEPEST} levels; no request needs that."


def check_size(document: object) -> None:
    """Raises UsageProblem for JSON of too many members and entries, in all its levels, or of too many levels."""
    left, level = _MOST, _nests([document])
    for _ in range(_DEEPEST):
        inner: list[dict[str, object] | list[object]] = []
        for nest in level:
            left -= len(nest)
            if left < 0:
                raise UsageProblem(_TOO_MANY)
            inner += _nests(nest.values() if isinstance(nest, dict) else nest)
        if not inner:
            return
        level = inner
    raise UsageProblem(_TOO_DEEP)


def _nests(values: Any) -> list[dict[str, object] | list[object]]:
    return [value for value in values if isinstance(value, dict | list)]


def read_json(body: bytes) -> Any:
    """A document whose objects name each member once: of two values one would win without a word.

    Raises UsageProblem, ValueError for what is no JSON, RecursionError.
    """
    if is_heavy(body):
        raise UsageProblem(_TOO_MANY if body.count(b",") > _MARKS // 4 else _TOO_DEEP)
    return json.loads(body, object_pairs_hook=_once)


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members:
        if name in found:
            raise UsageProblem(f"The body has {name[:100]!r} twice, and takes one value.")
        found[name] = value
    return found


def is_heavy(text: str | bytes) -> bool:
    """Whether JSON may hold so many values that to read it alone would hold everybody up. Cheap: nothing is read."""
    marks: tuple[str | bytes, ...] = ("[", "{", ",") if isinstance(text, str) else (b"[", b"{", b",")
    return len(text) > _MARKS and sum(map(text.count, marks)) > _MARKS  # type: ignore[arg-type]


class _Unfit(HTTPException):
    """A UsageProblem on its way through FastAPI, which makes a sentence of its own of whatever else is raised here."""


class _Measured(Request):
    async def json(self) -> Any:
        try:
            if not hasattr(self, "_json"):
                self._json = read_json(await self.body())
                check_size(self._json)
        except RecursionError:
            raise _Unfit(400, _TOO_DEEP) from None
        except UsageProblem as problem:
            raise _Unfit(400, problem.message) from None
        return self._json


class MeasuredRoute(APIRoute):
    """A route whose JSON is measured once it is read, before anybody looks for what is wrong with it. A form has each field
    once, but for those that take several values.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer
        is_form = isinstance(self.body_field.field_info, Form)
        fields = self.dependant.body_params if is_form else []
        single = {field.alias for field in fields if list not in kinds_in(field.field_info.annotation)}

        async def handler(request: Request) -> Response:
            measured = _Measured(request.scope, request.receive)
            if is_form:
                await _check_form(measured, single)
            try:
                return await answer(measured)
            except _Unfit as problem:
                raise UsageProblem(problem.detail) from None

        return handler


async def _check_form(request: Request, single: set[str]) -> None:
    form = await request.form()  # kept by the request, for who reads it next
    for name in single:
        if len(form.getlist(name)) > 1:
            raise UsageProblem(f"The form has {name} twice, and takes one value.")
