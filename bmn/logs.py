"""Logs: JSON lines or a console, job and request ids bound to the task, secrets taken out before anything is written."""

import logging
import re
import sys
import time
from collections import Counter
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from bmn.redaction import HIDDEN, redact

bind = structlog.contextvars.bound_contextvars
"""`with bind(job_id=…):` puts the id on every line logged inside."""

OUTCOMES = "bmn.jobs.outcomes"
"""The logger that tells how each job ended, and nothing else: all that the level `jobs` shows below a warning."""

# Their info lines carry whole URLs, some with signatures in the query.
_NOISY = (
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
)
_MOST_REASONS = 100
_SECRET_KEYS = re.compile(r"(?i)(authorization|api[-_]?key|x-key|token|secret|password|cookie)")


def _redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = HIDDEN
        else:
            event[key] = _redact_value(value)
    return event


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_redact_value(part) for part in value]
    if isinstance(value, dict):
        return {name: HIDDEN if _SECRET_KEYS.search(str(name)) else _redact_value(v) for name, v in value.items()}
    return value


def _for_people() -> Any:
    """Renders for a terminal: how a job ended in a short line, all else as structlog does."""
    other = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)

    def render(logger: Any, name: str, event: MutableMapping[str, Any]) -> Any:
        if event.get("logger") != OUTCOMES:
            return other(logger, name, event)
        took = f"  {event['seconds']} s" if "seconds" in event else ""
        return f"{event['timestamp']}  {event['event']}  {event['job_id']}{took}"

    return render


def configure(
    level: str = "info", style: Literal["auto", "console", "json"] = "auto", *, process: str | None = None
) -> None:
    """Sets up logging to stderr for this process. auto: a console on a terminal, JSON lines elsewhere.

    level: as `logging` has them, or `jobs`: warnings, and a line for each job that ended.
    """
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer: Any = _for_people() if console else structlog.processors.JSONRenderer()
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
    logging.getLogger().handlers[:] = [handler]
    _set_levels(level)
    logging.captureWarnings(capture=True)  # libraries warn of words they do not know; a log is read line by line
    structlog.contextvars.clear_contextvars()
    if process:
        structlog.contextvars.bind_contextvars(process=process)


def _set_levels(level: str) -> None:
    logging.getLogger().setLevel("WARNING" if level == "jobs" else level.upper())
    logging.getLogger(OUTCOMES).setLevel("INFO" if level == "jobs" else "NOTSET")
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Seldom:
    """Says the same thing once in a while, and then how often it came meanwhile: what fails fifty times a second is one
    line, not a log that fills the rest of a disk.
    """

    def __init__(self, logger: structlog.stdlib.BoundLogger, every: float = 10.0) -> None:
        self._logger = logger
        self._every = every
        self._said: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def warning(self, event: str, *, reason: str, **fields: object) -> None:
        """The line, unless this reason was told a moment ago."""
        now = time.monotonic()
        if now - self._said.get(reason, -self._every) < self._every:
            self._unsaid[reason] += 1
            return
        if len(self._said) >= _MOST_REASONS:
            self._said.clear()
            self._unsaid.clear()
        self._said[reason] = now
        if more := self._unsaid.pop(reason, 0):
            fields["times"] = 1 + more
        self._logger.warning(event, reason=reason, **fields)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose methods take an event and keyword fields: `log.info("job claimed", job_id=…)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
