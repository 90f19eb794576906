"""Figures for Prometheus. Labels are routes, methods and statuses; never a user, a job or a brand."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bmn.db.engine import Connection
from bmn.db.keeping import retention
from bmn.db.operators import alert_store, queue_store
from bmn.db.sums import activity, spending
from bmn.schemas.payloads import JobState
from bmn.server.state.siblings import Siblings
from bmn.settings.running import ProcessPlace
from bmn.work.registry import QUEUES


@dataclass(frozen=True, slots=True)
class Figures:
    """What the records say at one moment. durations: p50 and p95 in seconds, per queue. lags: seconds, per table."""

    counts: dict[str, dict[str, int]]
    oldest: dict[str, float]
    durations: dict[str, tuple[float, float]]
    outcomes: dict[tuple[str, str, str], int]
    usd: dict[str, float]
    dead: int
    paused: frozenset[str]
    alerts: dict[str, int]
    lags: dict[str, float]


def read_figures(conn: Connection) -> Figures:
    """What the records say now, in one read."""
    return Figures(
        counts=queue_store.counts(conn),
        oldest=queue_store.oldest_waiting(conn),
        durations=queue_store.percentiles(conn, QUEUES),
        outcomes=activity.outcomes(conn),
        usd={row.key: row.usd for row in spending.costs(conn, "provider") if not row.sandboxed},
        dead=queue_store.open_dead_letters(conn),
        paused=frozenset(name for name, setting in queue_store.settings(conn).items() if setting.paused),
        alerts=alert_store.count_open(conn),
        lags=retention.lags(conn),
    )


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Registries of this app's own, so that two apps in one process do not share figures. place: beside which others.

    siblings: where several processes serve one address, the figures of all; None else.
    """

    def __init__(self, place: ProcessPlace) -> None:
        self.registry = CollectorRegistry()
        own = CollectorRegistry()  # what only this process knows; the rest is read from the records by whoever is asked
        self.siblings = Siblings(own, place) if place.figures is not None else None
        self.registry.register(self.siblings or own)
        labels = ("method", "route", "status")
        self.requests = Counter("bmn_http_requests", "Requests answered", labels, registry=own)
        self.seconds = Histogram(
            "bmn_http_request_seconds", "Time to answer", ("method", "route"), registry=own, buckets=_BUCKETS
        )
        self.jobs = Gauge("bmn_jobs", "Jobs by queue and state", ("queue", "state"), registry=self.registry)
        self.oldest = Gauge(
            "bmn_queue_oldest_wait_seconds", "How long the oldest due job waits", ("queue",), registry=self.registry
        )
        self.duration = Gauge(
            "bmn_job_duration_seconds",
            "Durations of the last completed jobs",
            ("queue", "quantile"),
            registry=self.registry,
        )
        self.ended = Gauge(
            "bmn_jobs_ended",
            "Ended jobs in the records, by outcome and cause",
            ("queue", "state", "cause"),
            registry=self.registry,
        )
        self.spent = Gauge(
            "bmn_provider_usd", "What providers were paid, in the records", ("provider",), registry=self.registry
        )
        self.dead_letters = Gauge("bmn_dead_letters_open", "Dead letters that nobody has fixed", registry=self.registry)
        self.paused = Gauge("bmn_queue_paused", "1 where a queue is paused", ("queue",), registry=self.registry)
        self.alerts = Gauge("bmn_alerts_open", "Alerts that are not over, by kind", ("kind",), registry=self.registry)
        self.lag = Gauge(
            "bmn_retention_lag_seconds",
            "For how long the oldest row of a table should have been deleted",
            ("book",),
            registry=self.registry,
        )
        self.redis_memory = Gauge("bmn_redis_memory_share", "Used memory by its limit", registry=self.registry)
        self.redis_down = Gauge("bmn_redis_down_seconds", "Seconds since Redis last answered", registry=self.registry)

    def show(self, figures: Figures) -> None:
        """Takes over what the records say."""
        for queue in QUEUES:
            for state in JobState:
                self.jobs.labels(queue, state.value).set(figures.counts.get(queue, {}).get(state.value, 0))
            self.paused.labels(queue).set(queue in figures.paused)
            self.oldest.labels(queue).set(figures.oldest.get(queue, 0.0))
        for queue, (p50, p95) in figures.durations.items():
            self.duration.labels(queue, "0.5").set(p50)
            self.duration.labels(queue, "0.95").set(p95)
        for (queue, outcome, cause), number in figures.outcomes.items():
            self.ended.labels(queue, outcome, cause).set(number)
        for provider, usd in figures.usd.items():
            self.spent.labels(provider).set(usd)
        self.dead_letters.set(figures.dead)
        for book, lag in figures.lags.items():
            self.lag.labels(book).set(lag)
        self.alerts.clear()
        for kind, number in figures.alerts.items():
            self.alerts.labels(kind).set(number)

    def render(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)
