"""Who asks, before what they send: routes that know and count their caller before a body is waited for and read."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.params import Form
from starlette.exceptions import HTTPException

from bmn.errors import UsageProblem
from bmn.server.access.dependencies import caller, generation_caller, identify, viewer
from bmn.server.access.revealing import note_looks
from bmn.server.edge.measured import MeasuredRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_CALLERS = (identify, viewer, caller, generation_caller)


class AskingRoute(MeasuredRoute):
    """A route with a body asks for its caller first, and counts them: a body that nobody understands is a request as well.

    One without a body does so anyway, since nothing comes before it. What an answer reveals is written down before it goes.
    """

    def get_route_handler(self) -> Handler:
        answer = _noted(super().get_route_handler())
        if self.body_field is None:
            return answer
        asked = set(_asked(self.dependant))
        first = [each for each in _CALLERS if each in asked]
        takes_json = not isinstance(self.body_field.field_info, Form)

        async def handler(request: Request) -> Response:
            for ask in first:
                await ask(request)
            try:
                return await answer(request)
            except RequestValidationError:
                if takes_json:
                    _check_kind(request)
                raise
            except HTTPException as problem:
                if problem.status_code != 400 or not takes_json:
                    raise
                _check_kind(request)
                raise UsageProblem("The body cannot be read as JSON in UTF-8.") from None

        return handler


def _noted(answer: Handler) -> Handler:
    async def handler(request: Request) -> Response:
        found = await answer(request)
        await note_looks(request)
        return found

    return handler


def _check_kind(request: Request) -> None:
    """What is wrong with a body that was not understood. Raises UsageProblem where it says to be no JSON, or packed."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise UsageProblem(
            f"The body is sent as {kind[:100]!r}, not as JSON." if kind else "The body does not say that it is JSON.",
            hint="Send it with `Content-Type: application/json`.",
        )
    if (packed := headers.get("content-encoding", "identity").strip().lower()) != "identity":
        raise UsageProblem(f"The body is packed ({packed[:50]!r}).", hint="Send it as it is, without Content-Encoding.")


def _asked(dependant: Dependant) -> Iterator[Any]:
    """Everything that a route depends on."""
    yield dependant.call
    for each in dependant.dependencies:
        yield from _asked(each)
