"""Traces and error reports to services of your own, where they are configured; nothing leaves the machine otherwise.

OTEL_EXPORTER_OTLP_ENDPOINT: one trace from the request over the queue and the worker to each provider call.
SENTRY_DSN: alerts, dead letters and defects. Both come with `pip install bmn[observability]`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from bmn import __version__
from bmn.errors import Misconfigured
from bmn.redaction import redact
from bmn.settings import Settings

_PARENT = "traceparent"  # W3C Trace Context's header; a job's row carries it from the server to the worker


class _Libraries:
    """The libraries, where they are configured. One per process, set by `configure`."""

    tracer: Any = None
    propagator: Any = None
    sentry: ModuleType | None = None


def configure(settings: Settings, process: str) -> None:
    """Sets up what the settings ask for. Call it once, in the process that is to be observed (after a fork).

    Raises Misconfigured where a library that is asked for is not installed.
    """
    if settings.otel_exporter_otlp_endpoint:
        _configure_tracing(settings.otel_exporter_otlp_endpoint, process)
    if dsn := settings.sentry_dsn.get_secret_value():
        _Libraries.sentry = _load("sentry_sdk")
        _Libraries.sentry.init(
            dsn=dsn,
            environment=settings.bmn_env,
            release=__version__,
            server_name=process,
            send_default_pii=False,
            include_local_variables=False,
            before_send=_redact_event,
            # It would time each statement, for traces that go elsewhere, and knows none that is sent to the driver as it is.
            disabled_integrations=[_load("sentry_sdk.integrations.sqlalchemy").SqlalchemyIntegration],
        )


def _configure_tracing(endpoint: str, process: str) -> None:
    trace = _load("opentelemetry.sdk.trace")
    export = _load("opentelemetry.sdk.trace.export")
    exporter = _load("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resources = _load("opentelemetry.sdk.resources")
    resource = resources.Resource.create({"service.name": f"bmn-{process}", "service.version": __version__})
    provider = trace.TracerProvider(resource=resource)
    target = endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(export.BatchSpanProcessor(exporter.OTLPSpanExporter(endpoint=target)))
    _Libraries.tracer = provider.get_tracer("bmn", __version__)
    _Libraries.propagator = _load("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise Misconfigured(
            f"{name.split('.')[0]} is not installed, but its setting is given.",
            hint="pip install 'bmn[observability]'",
        ) from error


@contextmanager
def span(name: str, *, parent: str | None = None, **attributes: Any) -> Iterator[None]:
    """A span of the trace. parent: what `current_parent` gave in another process."""
    if _Libraries.tracer is None:
        yield
        return
    context = _Libraries.propagator.extract({_PARENT: parent}) if parent else None
    known = {name: _redacted(value) for name, value in attributes.items() if value is not None}
    with _Libraries.tracer.start_as_current_span(name, context=context, attributes=known):
        yield


def current_parent() -> str | None:
    """What a span in another process has to be told to continue this trace; None where nothing is traced."""
    if _Libraries.tracer is None:
        return None
    carrier: dict[str, str] = {}
    _Libraries.propagator.inject(carrier)
    return carrier.get(_PARENT)


def report(message: str, *, level: str = "error", group: tuple[str, ...] = (), **tags: str) -> bool:
    """Sends a message to Sentry, grouped by `group`, else by its cause. False where Sentry is not set up here."""
    if _Libraries.sentry is None:
        return False
    with _Libraries.sentry.new_scope() as scope:
        for key, value in tags.items():
            scope.set_tag(key, value)
        scope.fingerprint = list(group) or [tags.get("queue", ""), tags.get("cause", message)]
        _Libraries.sentry.capture_message(redact(message), level=level)
    return True


def _redact_event(event: dict[str, object], _hint: Any) -> dict[str, Any]:
    """Takes secrets out of what Sentry is sent, whatever put them there and wherever they stand."""
    return {key: _redacted(value) for key, value in event.items() if key != "request"}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(part) for part in value]
    return value
