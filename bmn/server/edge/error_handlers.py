"""Every error as JSON: `{error, ...}`, in words for the person who reads it, never a stack trace."""

from collections.abc import Mapping

import redis
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from bmn.errors import BmnError, JobFailure, NotSignedIn, TryLater
from bmn.schemas.documents import FieldErrors, Issue, Problem
from bmn.schemas.wording import Flaw, flaws
from bmn.server.edge.asgi import request_id_of

# A path that holds no id of ours names nothing, which is what a foreign or absent id is told as well.
_ABSENT = {"job_id": "Job not found", "brand_id": "Brand not found", "asset_id": "Asset not found"}
_MOST_ISSUES = 10
_CODES = {404: "not_found", 405: "bad_request", 413: "too_large", 415: "bad_request"}


def add_error_handlers(app: FastAPI) -> None:
    """Answers every error with `{error, code, ...}`, never with a stack trace."""
    app.add_exception_handler(BmnError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(redis.RedisError, _redis_away)
    app.add_exception_handler(Exception, _unexpected)


def error_response(error: BmnError) -> Response:
    """One of our errors as the answer of a route."""
    body = {"error": error.message, "code": error.code}
    if error.hint:
        body["hint"] = error.hint
    headers = {}
    if isinstance(error, TryLater):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(Problem.model_validate({**body, **error.extra}), error.http_status, headers)


def _answer(problem: Problem, status: int, headers: Mapping[str, str] | None = None) -> Response:
    text = problem.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(text, status, headers, "application/json")


async def give_back(request: Request, status: int) -> None:
    """A submission that is refused makes nothing, so it is none of those that a minute has; it stays a request."""
    if status < 500 and status != 429:
        await request.app.state.resources.limit.give_back(request.scope)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, BmnError)
    await give_back(request, error.http_status)
    if isinstance(error, JobFailure):  # the object store or a provider, met outside a job
        error = TryLater("A part of this service is away.", cause=error.cause.value)
    return error_response(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | ValidationError)
    await give_back(request, 400)
    wrong = flaws(error)
    for flaw in wrong:
        if flaw.place[:1] == ("path",):
            return _answer(Problem(error=_ABSENT.get(str(flaw.place[1]), "Not found"), code="not_found"), 404)
    found = [Issue(loc=_location(flaw), msg=flaw.words, type=flaw.kind) for flaw in wrong[:_MOST_ISSUES]]
    problem = Problem(error="Validation failed", code="bad_request", details=_by_field(found), issues=found)
    return _answer(problem, 400)


def _location(flaw: Flaw) -> list[str | int]:
    return [part if isinstance(part, int) else str(part)[:100] for part in flaw.place]


def _by_field(issues: list[Issue]) -> FieldErrors:
    """As zod's `flatten()` has it, which forms are written for: by the outermost field, deeper places named in words."""
    whole: list[str] = []
    fields: dict[str, list[str]] = {}
    for issue in issues:
        field, *inner = [*issue.loc[1:], None]
        words = f"{'.'.join(map(str, inner[:-1]))} {issue.msg}".strip()
        if isinstance(field, str):
            fields.setdefault(field, []).append(words)
        else:  # of the body as a whole, or a place in a text that is no JSON
            whole.append(issue.msg)
    return FieldErrors(form_errors=whole, field_errors=fields)


async def refused(request: Request, error: Exception) -> Response:
    """What the framework refuses: an address or a method that is not there, a body that is too large or too slow."""
    assert isinstance(error, HTTPException)
    if error.status_code != 404:  # which a mounted app answers as well
        await give_back(request, error.status_code)
    code = _CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "error")
    headers = dict(error.headers or {})
    if error.status_code in (408, 413, 503):  # the rest of the body is not read
        headers["Connection"] = "close"
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return _answer(Problem(error=str(error.detail), code=code), error.status_code, headers)


def _methods(request: Request) -> list[str]:
    """What a path can be asked for: by all routes of the first pattern that it fits, as each names its own methods alone."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    fitting = [route for route in routes if route.matches(request.scope)[0] != Match.NONE]
    return sorted({method for route in fitting if route.path == fitting[0].path for method in route.methods or ()})


async def _redis_away(request: Request, _error: Exception) -> Response:
    return error_response(TryLater("Redis is away, and this needs it.", cause="redis"))


async def _unexpected(request: Request, _error: Exception) -> Response:
    problem = Problem(error="Something on our side went wrong.", code="error", request_id=request_id_of(request.scope))
    return _answer(problem, 500)
