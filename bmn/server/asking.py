"""Who asks, before what they send: routes that know their caller before a body is waited for, read and understood."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bmn.server.dependencies import caller, generation_caller, identify, viewer

_CALLERS = frozenset({caller, generation_caller, viewer, identify})


class AskingRoute(APIRoute):
    """A route with a body asks for its caller first. One without a body does so anyway, since nothing comes before it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        if self.body_field is None or not _asks(self.dependant):
            return answer

        async def handler(request: Request) -> Response:
            await identify(request)
            return await answer(request)

        return handler


def _asks(dependant: Dependant) -> bool:
    return dependant.call in _CALLERS or any(_asks(each) for each in dependant.dependencies)
