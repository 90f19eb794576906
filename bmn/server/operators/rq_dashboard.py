"""rq-dashboard as our admins see it: JSON for everything it reads, values escaped, nothing that changes anything."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import jinja2
from a2wsgi import WSGIMiddleware
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.worker import Worker
from rq_dashboard import web

from bmn.broker.connection import connect_sync
from bmn.logs import get_logger
from bmn.settings import Settings

log = get_logger(__name__)


class _Unread(JSONSerializer):
    """JSON where it is JSON. The call that RQ's workers find is a pickle: the same for all jobs, and never read."""

    @staticmethod
    def loads(s: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return json.loads(s)
        except ValueError:
            return ["bmn", None, [], {}]


class _JsonJob(Job):
    """Whoever can write to Redis could otherwise run code here: a pickle runs what it likes."""

    @classmethod
    def fetch(cls, id: str, connection: Any = None, serializer: Any = None) -> Any:
        return super().fetch(id, connection=connection, serializer=_Unread)


class _JsonQueue(Queue):
    """Lists every job that stands in it. RQ leaves out those of another queue, and takes off those it has forgotten."""

    def fetch_job(self, job_id: str) -> Any:
        try:
            return _JsonJob.fetch(job_id, connection=self.connection)
        except NoSuchJobError:
            return None


class _JsonWorker(Worker):
    @classmethod
    def all(cls, connection: Any = None, *_: Any, **__: Any) -> Any:
        return super().all(connection=connection, job_class=_JsonJob, serializer=_Unread)


def open_dashboard(settings: Settings) -> Any:
    """rq-dashboard, mended, as an ASGI application."""
    connection = connect_sync(settings.redis_address)
    web.config.serializer = _Unread
    web.Job, web.Queue, web.Worker = _JsonJob, _JsonQueue, _JsonWorker
    web.from_url = lambda *_, **__: (None, connection)  # it would open a pool of its own at every request
    app = flask.Flask("rq_dashboard", static_folder=str(Path(web.__file__).parent / "static"))
    app.config.update(RQ_DASHBOARD_REDIS_URL=("redis",), RQ_DASHBOARD_DISABLE_DELETE=True, DEPRECATED_OPTIONS=[])
    app.redis_conn = connection  # type: ignore[attr-defined]
    app.register_blueprint(web.blueprint)
    app.jinja_env.autoescape = True  # Flask leaves the included scripts out
    app.jinja_env.loader = _MendingLoader(jinja2.PackageLoader("rq_dashboard"))
    app.context_processor(lambda: {"nonce": flask.request.environ["asgi.scope"]["nonce"]})
    app.register_error_handler(NoSuchJobError, _no_such_job)
    app.register_error_handler(Exception, _unreadable)
    application: Any = app
    return WSGIMiddleware(application, workers=4)


def _no_such_job(_error: Exception) -> tuple[str, int]:
    return "RQ does not know this job any more. `bmn jobs show` does.", 404


def _unreadable(error: Exception) -> tuple[str, int]:
    log.warning("an entry in Redis cannot be shown", error=repr(error)[:300])
    return "This cannot be read: it is not an entry of ours, or Redis is away.", 500


class _MendingLoader(jinja2.BaseLoader):
    """rq-dashboard's templates: values escaped where the browser fills them in, scripts named to the policy, no buttons."""

    _RAW = re.compile(r"<%=(?!\s*\$\('<div/>'\)\.text)")  # those that escape by themselves stay as they are
    _HIDDEN = (
        "#requeue-job-btn, #requeue-all-btn, #compact-btn, [data-role=requeue-job-btn] { display: none !important }"
    )
    _NOTE = (
        '<p class="alert alert-secondary">A view of the queues: nothing is changed here. Bring jobs back with '
        "<code>bmn jobs retry</code>, stop them with <code>bmn jobs cancel</code>.</p>"
    )

    def __init__(self, inner: jinja2.BaseLoader) -> None:
        self._inner = inner

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, file, fresh = self._inner.get_source(environment, template)
        if template.endswith(".html"):
            source = self._RAW.sub("<%-", source)
            source = source.replace('<script type="text/javascript">', '<script nonce="{{ nonce }}">')
            source = source.replace("</head>", f"<style>{self._HIDDEN}</style></head>")
            source = source.replace('<div class="container">', f'<div class="container">{self._NOTE}', 1)
        return source, file, fresh
