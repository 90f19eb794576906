"""Figures for Prometheus. Labels are routes, methods and statuses; never a user, a job or a brand."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """A registry of this app's own, so that two apps in one process do not share figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("bmn_http_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "bmn_http_request_seconds", "Time to answer", ("method", "route"), registry=self.registry, buckets=_BUCKETS
        )
        self.jobs = Gauge("bmn_jobs", "Jobs by queue and state", ("queue", "state"), registry=self.registry)
        self.oldest = Gauge(
            "bmn_queue_oldest_wait_seconds", "How long the oldest due job waits", ("queue",), registry=self.registry
        )
        self.dead_letters = Gauge("bmn_dead_letters_open", "Dead letters nobody has mended", registry=self.registry)
        self.redis_memory = Gauge("bmn_redis_memory_share", "Used memory by its limit", registry=self.registry)
        self.redis_down = Gauge("bmn_redis_down_seconds", "Seconds since Redis last answered", registry=self.registry)

    def render(self) -> bytes:
        return generate_latest(self.registry)
