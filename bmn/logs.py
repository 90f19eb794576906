"""Logs: JSON lines or a console, job and request ids bound to the task, secrets taken out before anything is written."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

bind = structlog.contextvars.bound_contextvars
"""`with bind(job_id=…):` puts the id on every line logged inside."""

_SECRET_KEYS = re.compile(r"(?i)(authorization|api[-_]?key|x-key|token|secret|password|cookie)")
_SECRET_VALUES = re.compile(
    r"(?i)bearer\s+[\w.~+/=-]+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|\b(?:sk|re|pit|bfl|sb_secret|AIza)[-_][\w-]{12,}"
    r"|(?<=://)[^/@\s:]*:[^/@\s]+(?=@)"
)
_HIDDEN = "[hidden]"


def redact(text: str) -> str:
    """Takes tokens, keys and passwords in URLs out of a text."""
    return _SECRET_VALUES.sub(_HIDDEN, text)


def _redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = _HIDDEN
        elif isinstance(value, str):
            event[key] = redact(value)
    return event


def configure(
    level: str = "info", style: Literal["auto", "console", "json"] = "auto", *, process: str | None = None
) -> None:
    """Sets up logging to stderr for this process. auto: a console on a terminal, JSON lines elsewhere."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Their info lines carry whole URLs, some with signatures in the query.
    for noisy in (
        "httpx",
        "httpx2",
        "httpcore",
        "engineio",
        "socketio",
        "rq",
        "rq.worker",  # sets a level of its own when it is imported
        "alembic",
        "anthropic",
        "openai",
        "PIL",
        "uvicorn",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.clear_contextvars()
    if process:
        structlog.contextvars.bind_contextvars(process=process)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose methods take an event and keyword fields: `log.info("job claimed", job_id=…)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
