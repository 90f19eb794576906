"""What leaves a running stack for other people's services: figures for Prometheus, spans for OTLP, dead letters for Sentry.

The receivers are small, but the wire is real: HTTP, the text format, protobuf, and Sentry's envelopes.
"""

import gzip
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from bmn.observability import _redact_event
from tests.kit.processes import wait_until
from tests.kit.stack import Stack, User, start

OPERATIONS = Path(__file__).parent.parent / "docs" / "operations.md"
_SECRET = "sk-canary0123456789abcdef"


class Receiver(ThreadingHTTPServer):
    """Takes in whatever is posted; answers 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[str, bytes]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[tuple[str, Span]]:
        """Each with the name of the service that sent it."""
        found = []
        for path, body in list(self.taken):
            if path != "/v1/traces":
                continue
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
                found += [(names[0], span) for scope in resource.scope_spans for span in scope.spans]
        return found

    def reports(self) -> list[dict[str, Any]]:
        """The events in Sentry's envelopes: a line of JSON about each item, then the item."""
        found = []
        for path, body in list(self.taken):
            lines = body.split(b"\n") if path.endswith("/envelope/") else []
            for head, item in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head)["type"] == "event":
                    found.append(json.loads(item))
        return found


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.taken.append((self.path.split("?")[0], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def stack(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiver.address}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "SENTRY_DSN": f"http://public@{receiver.address}/1",
        "BMN_BACKOFF_SCALE": "0.01",
    }
    home = tmp_path_factory.mktemp("home")
    running = start(home, "--port", "0", "--queues", "logo-generation", "--sandbox-speed", "0", env=settings)
    yield running
    running.stop()


@pytest.fixture
def user(stack: Stack) -> Iterator[User]:
    yield User(stack)
    stack.mend()


def _order(user: User, name: str) -> str:
    """A job of one logo, seen to its end; answers with its id."""
    head = {"Authorization": f"Bearer {user.env['BMN_TOKEN']}"}
    with httpx.Client(base_url=f"{user.stack.api_url}/api/v1", headers=head, trust_env=False) as client:
        brand = client.post("/brands", json={"name": name}).json()["id"]
        job_id: str = client.post("/generation/logos", json={"brandId": brand, "count": 1}).json()["jobId"]
        wait_until(lambda: client.get(f"/jobs/{job_id}").json()["completedAt"], what="the end of the job")
    return job_id


def test_prometheus_reads_the_figures_that_operators_are_told_of(user: User) -> None:
    _order(user, "Figures")
    text = httpx.get(f"{user.stack.api_url}/metrics", trust_env=False).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    promised = set(re.findall(r"`(bmn_\w+)[`{]", OPERATIONS.read_text()))
    assert len(promised) >= 10
    assert promised <= families.keys() | {sample.name for family in families.values() for sample in family.samples}
    # Figures are up to ten seconds old.
    wait_until(lambda: _completed_logos(user) >= 1, what="the job among the ended ones")


def _completed_logos(user: User) -> float:
    text = httpx.get(f"{user.stack.api_url}/metrics", trust_env=False).text
    ended = next(family for family in text_string_to_metric_families(text) if family.name == "bmn_jobs_ended")
    wanted = ("logo-generation", "completed")
    return max(
        (entry.value for entry in ended.samples if (entry.labels["queue"], entry.labels["state"]) == wanted), default=0
    )


def test_one_trace_leads_from_the_request_over_the_job_to_the_providers_calls(user: User, receiver: Receiver) -> None:
    job_id = _order(user, "Traced")

    def job_spans() -> list[Span]:
        mine = [a for _, span in receiver.spans() for a in span.attributes if a.value.string_value == job_id]
        return [span for _, span in receiver.spans() if any(a in mine for a in span.attributes)]

    wait_until(lambda: any(span.name == "job" for span in job_spans()), what="the job's span")
    job = next(span for span in job_spans() if span.name == "job")
    trace = [(service, span) for service, span in receiver.spans() if span.trace_id == job.trace_id]
    request = next(span for service, span in trace if (service, span.name) == ("bmn-api", "http POST"))
    assert job.parent_span_id == request.span_id
    below = {span.name for service, span in trace if span.parent_span_id == job.span_id}
    assert below >= {"bfl submit", "bfl wait", "bfl download"}
    assert {service for service, _ in trace} == {"bmn-api", "bmn-worker-logo-generation"}


def test_a_dead_letter_is_reported_once_and_without_anything_private(user: User, receiver: Receiver) -> None:
    user.stack.fault(provider="bfl", op="submit", status=503)
    token, name = user.env["BMN_TOKEN"], "A private name"
    _order(user, name)
    wait_until(receiver.reports, what="the report")
    (report,) = receiver.reports()
    assert report["message"].startswith("Dead letter: ")
    assert report["tags"] == {"queue": "logo-generation", "cause": "provider_overloaded"}
    assert report["fingerprint"] == ["logo-generation", "provider_overloaded"]
    said = json.dumps(report)
    secret = (user.stack.home / "dev-secret").read_text().strip()
    for private in (token, secret, name, user.user_id, f"{user.user_id[:8]}@example.org"):
        assert private not in said


def test_a_secret_is_taken_out_of_a_report_wherever_it_stands() -> None:
    event = {
        "message": f"refused {_SECRET}",
        "request": {"headers": {"authorization": "Bearer x"}},
        "exception": {
            "values": [{"value": _SECRET, "stacktrace": {"frames": [{"context_line": f"key = '{_SECRET}'"}]}}]
        },
        "breadcrumbs": {"values": [{"message": "asked", "data": {"url": f"http://user:{_SECRET}@host/"}}]},
        "level": "error",
        "timestamp": 1.5,
    }
    sent = _redact_event(event, None)
    assert _SECRET not in json.dumps(sent)
    assert "request" not in sent
    assert (sent["level"], sent["timestamp"]) == ("error", 1.5)


def test_a_queue_that_pauses_itself_is_reported_and_so_is_its_end(user: User, receiver: Receiver) -> None:
    def said() -> list[tuple[str, str]]:
        mine = [report for report in receiver.reports() if report["tags"].get("alert") == "queue-paused"]
        assert all(report["fingerprint"] == ["queue-paused", "logo-generation"] for report in mine)
        return [(report["level"], report["tags"]["state"]) for report in mine]

    user.stack.fault(provider="bfl", op="submit", status=401)
    head = {"Authorization": f"Bearer {user.env['BMN_TOKEN']}"}
    with httpx.Client(base_url=f"{user.stack.api_url}/api/v1", headers=head, trust_env=False) as client:
        brand = client.post("/brands", json={"name": "Refused"}).json()["id"]
        client.post("/generation/logos", json={"brandId": brand, "count": 1})
        wait_until(lambda: said() == [("error", "open")], what="the report")
        user.stack.mend()
        assert User(user.stack, role="admin").bmn("queues", "resume", "logo-generation").code == 0
    wait_until(lambda: said() == [("error", "open"), ("info", "resolved")], what="the end")
