"""Requests that nobody sends by mistake are refused in words; none is a fault of ours."""

import base64
import contextlib
import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, get_args, get_origin
from uuid import uuid4

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from tests.kit.processes import PATIENCE
from tests.security.target import Target

STREAMS = 30


@pytest.mark.parametrize("words", [r'[1,"\ud800"]', r'[1,"\u0000"]', '[1,"é"]', '[null,"a"]', "[" * 250, '[1,["a"]]'])
def test_a_made_up_cursor_is_refused_everywhere(target: Target, words: str) -> None:
    user, admin = target.client(str(uuid4())), target.client(str(uuid4()), "admin")
    cursor = base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")
    brand = target.brand(user)
    places = [(user, "/api/v1/jobs"), (user, "/api/v1/brands"), (user, f"/api/v1/brands/{brand}/assets")]
    for client, path in [*places, (admin, "/api/v1/admin/dlq")]:
        assert client.get(path, params={"cursor": cursor}).status_code == 400, path


def test_a_null_byte_is_refused_in_every_filter(target: Target) -> None:
    """SQLite would find nothing; PostgreSQL knows no text with one."""
    user, admin = target.client(str(uuid4())), target.client(str(uuid4()), "admin")
    filters = {"/api/v1/jobs": ("queue", "cause", "text", "prefix"), "/api/v1/admin/dlq": ("queue", "cause", "text")}
    for path, names in filters.items():
        client = admin if "admin" in path else user
        for name in names:
            assert client.get(path, params={name: "a\0b"}).status_code == 400, (path, name)
    for selection in ({"ids": ["a\0b"]}, {"queue": "a\0b"}, {"text": "a\0b"}):
        assert admin.post("/api/v1/admin/dlq/replay", json=selection).status_code == 400, selection


# What no statement gets as it came: looked up in a table of ours, read by a parser of its own, or digested.
_NEVER_ASKED_FOR = {
    "_token",
    "authorization",
    "cursor",
    "download",
    "name",
    "queue",
    "signature",
    "ticket",
    "token",
    "until",
}


def test_every_text_of_a_request_is_read_by_a_type_that_knows_null_bytes(target: Target) -> None:
    taken = set()
    for route in target.app.api.routes:
        for given in _parameters(route.dependant) if isinstance(route, APIRoute) else ():
            for words in ("a\0b", ["a\0b"], {"a": "a\0b"}):
                if not given.validate(words, {}, loc=("request",))[1] and given.name not in _NEVER_ASKED_FOR:
                    taken.add(f"{route.path} {given.name}")
            taken |= {f"{route.path} {field}" for field in _careless(given.field_info.annotation)}
    assert taken == {"/files/{key:path} key"}  # `check_key` refuses it


def _careless(kind: Any) -> set[str]:
    """The fields of a body, and of what it is made of, that take a null byte."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {field for part in get_args(kind) for field in _careless(part)}
    found = set()
    for name, field in kind.model_fields.items():
        reader = TypeAdapter(Annotated[field.annotation, "a field", *field.metadata])
        for words in ("a\0b", ["a\0b"], {"a": "a\0b"}):
            with contextlib.suppress(ValidationError):
                reader.validate_python(words)
                found.add(f"{kind.__name__}.{name}")
        found |= _careless(field.annotation)
    return found


def _parameters(part: Dependant) -> Iterator[Any]:
    yield from (*part.path_params, *part.query_params, *part.header_params, *part.cookie_params, *part.body_params)
    for each in part.dependencies:
        yield from _parameters(each)


_PARTS = {"change": "abort", "queue": "logo-generation"}


def _status(client: httpx.Client, method: str, path: str, part: str) -> int:
    """Of a request with a name in its query that means nothing. part: what stands for ids in the path."""
    filled = re.sub("{(.*?)}", lambda found: _PARTS.get(found[1], part), path)
    with client.stream(method, filled, params={"stat": "failed"}) as answer:
        return answer.status_code


def test_a_name_in_a_query_that_means_nothing_is_refused_everywhere(target: Target) -> None:
    admin = target.client(str(uuid4()), "admin")
    for route in target.app.api.routes:
        if isinstance(route, APIRoute) and route.path.startswith("/api/v1/") and "/shared/" not in route.path:
            for method in route.methods or ():
                assert 400 in {_status(admin, method, route.path, part) for part in ("1", str(uuid4()))}, route.path
    assert admin.post("/api/v1/bulk/1/nothing", params={"stat": "failed"}).status_code == 404
    refusal = admin.get("/api/v1/jobs", params={"stat": "failed"}).json()
    assert refusal["error"] == "There is no parameter 'stat' here."
    assert refusal["hint"].startswith("Did you mean state? ")


def _numeric(part: Dependant) -> Iterator[str]:
    kinds = {int, float}
    for field in part.query_params:
        if kinds & {field.field_info.annotation, *get_args(field.field_info.annotation)}:
            yield field.alias
    for each in part.dependencies:
        yield from _numeric(each)


def test_every_number_in_a_query_has_one_form_and_is_given_once(target: Target) -> None:
    admin, asked = target.client(str(uuid4()), "admin"), 0
    for route in target.app.api.routes:
        if (
            not isinstance(route, APIRoute)
            or not route.path.startswith("/api/v1/")
            or "GET" not in (route.methods or ())
        ):
            continue
        for name in _numeric(route.dependant):
            path = re.sub(
                "{(.*?)}",
                lambda found: {**_PARTS, "bulk_id": "1", "name": "timeout"}.get(found[1], str(uuid4())),
                route.path,
            )
            for text in ("1_0", "+5", " 5", "٣", "５", "5.", "inf", "nan"):
                answer = admin.get(path, params={name: text})
                assert answer.status_code == 400, (path, name, text)
                assert name in answer.json()["error"], answer.text
            answer = admin.get(path, params=[(name, "1"), (name, "2")])
            assert (answer.status_code, answer.json()["error"]) == (400, f"{name} is given twice, and takes one value.")
            asked += 1
    assert asked > 15


def test_what_is_given_twice_is_refused_wherever_one_value_counts(target: Target) -> None:
    user = target.client(str(uuid4()))
    brand = target.brand(user)
    token = user.headers["Authorization"]
    assert user.get("/api/v1/jobs", params=[("state", "failed"), ("state", "queued")]).status_code == 200  # a list
    for name, values in (("Authorization", [token, token]), ("Idempotency-Key", ["a", "b"])):
        with httpx.Client(base_url=target.url, trust_env=False) as anybody:
            headers = [("Authorization", token)] if name != "Authorization" else []
            answer = anybody.post(
                "/api/v1/generation/logos",
                json={"brandId": brand, "count": 1},
                headers=[*headers, *((name, value) for value in values)],
            )
        assert (answer.status_code, name in answer.text) == (400, True), answer.text
    for path, body in (
        ("/api/v1/generation/logos", f'{{"brandId": "{brand}", "count": 1, "count": 8}}'),
        ("/api/v1/brands", '{"name": "A", "name": "B"}'),
    ):
        answer = user.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text
        assert "twice" in answer.json()["error"]
    assert user.get("/api/v1/jobs").json()["total"] == 0


def test_no_form_takes_two_values_for_one(target: Target) -> None:
    """Of every page; one with a field that takes several is no worse for having it twice."""
    asked = 0
    admin = target.client(str(uuid4()), "admin")
    signed_in = admin.get(admin.post("/api/v1/session", json={"path": "/"}).json()["url"])
    assert signed_in.status_code == 303
    del admin.headers["Authorization"]  # the pages of operators are for browsers
    admin.headers["Sec-Fetch-Site"] = "same-origin"
    for route in target.app.api.routes:
        if not isinstance(route, APIRoute) or route.body_field is None or route.path.startswith("/api/"):
            continue
        for field in route.dependant.body_params:
            path = re.sub("{(.*?)}", str(uuid4()), route.path)
            body = f"{field.alias}=one&{field.alias}=two"
            answer = admin.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
            several = get_origin(field.field_info.annotation) is list
            assert several != (f"{field.alias} twice" in answer.text), (path, field.alias, answer.text)
            assert several or answer.status_code == 400
            asked += 1
    assert asked > 40


@pytest.mark.parametrize("header", ["Origin", "Host"])
def test_a_header_that_names_no_address_is_no_fault_of_ours(target: Target, header: str) -> None:
    with httpx.Client(base_url=target.url, trust_env=False) as anybody:
        for method, path in (("GET", "/"), ("POST", "/signin/local"), ("POST", "/signout"), ("POST", "/g/new")):
            answer = anybody.request(method, path, headers={header: "http://["})
            assert 400 <= answer.status_code < 500, (method, path)


def test_many_streams_asked_for_at_the_same_moment_do_not_pass_the_limit(target: Target) -> None:
    user = target.client(str(uuid4()))
    path = f"/api/v1/jobs/{target.logos(user, 1)}/events"
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(STREAMS + 10) as pool:

        def follow(_number: int) -> httpx.Response:
            return stack.enter_context(user.stream("GET", path))

        codes = Counter(answer.status_code for answer in pool.map(follow, range(STREAMS + 10)))
    assert codes == {200: STREAMS, 429: 10}


def test_a_body_that_drips_is_not_waited_for(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.server.edge.bodies._BODY_SECONDS", 0.2)
    address = httpx.URL(target.url)
    token = target.client(str(uuid4())).headers["Authorization"]
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as client:
        client.sendall(
            b"POST /api/v1/brands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
            b"Authorization: " + token.encode() + b"\r\n\r\n{"
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"]
)
def test_a_connection_that_never_says_what_it_wants_is_not_kept(
    target: Target, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr("bmn.server.edge.connections._HEAD_SECONDS", 0.2)
    address = httpx.URL(target.url)
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as client:
        client.sendall(said)
        while client.recv(1000):
            pass


def test_a_stream_lasts_longer_than_a_head_may_take(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmn.server.edge.connections._HEAD_SECONDS", 0.01)
    user = target.client(str(uuid4()))
    job_id = target.logos(user, 1)
    with user.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event:"))
        assert user.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 200
        assert any(line == "event: job:cancelled" for line in lines)
