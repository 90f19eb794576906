"""What happened lately, as bars that need no script: what ended and how, what waited, what it cost, how long it took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bmn.db.engine import Connection
from bmn.db.sums import activity, lines
from bmn.db.sums.activity import Activity
from bmn.db.sums.lines import QueueLine
from bmn.db.sums.rollup import DAY, HOUR, MINUTE
from bmn.format import duration, usd
from bmn.schemas.payloads import JobState

Span = Literal["hour", "day", "week"]

WIDTH, HEIGHT = 600, 96
_GAP = 0.2  # of a bar's place


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a span goes, in which steps, and in which sums those are found. All in seconds."""

    seconds: int
    step: int
    source: int


REACHES: dict[Span, Reach] = {
    "hour": Reach(HOUR, MINUTE, MINUTE),
    "day": Reach(DAY, HOUR, HOUR),
    "week": Reach(7 * DAY, 6 * HOUR, HOUR),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened within one step. at: its beginning, seconds since 1970. waiting: None where nobody looked."""

    at: float
    done: int = 0
    failed: int = 0
    usd: float = 0.0
    busy: float = 0.0
    waiting: float | None = None
    running: float = 0.0
    oldest: float = 0.0

    @property
    def mean(self) -> float:
        """Seconds that a job took."""
        return self.busy / (self.done + self.failed) if self.done + self.failed else 0.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a bar, in the units of the drawing. kind: `good`, `bad` or `plain`."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing. total: what it comes to, in words. top: what its highest bar stands for. said: what pointing tells."""

    name: str
    title: str
    total: str
    top: str
    bars: list[Bar]
    said: list[tuple[float, float, float, str]]


@dataclass(slots=True)
class Past:
    """moments: one a step, the oldest first, none left out. causes: of what failed, with how many, the most first."""

    moments: list[Moment]
    causes: list[tuple[str, int]]
    failed_by_queue: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Jobs that went well, wholly or in part."""
        return sum(one.done for one in self.moments)

    @property
    def failed(self) -> int:
        """Jobs that failed."""
        return sum(one.failed for one in self.moments)


def read(conn: Connection, span: Span, now: float) -> Past:
    """What happened within a span."""
    reach = REACHES[span]
    ended = activity.recent(conn, reach.source, reach.seconds)
    looks = lines.history(conn, reach.source, reach.seconds)
    first = (now - reach.seconds) // reach.step * reach.step + reach.step
    count = round(reach.seconds / reach.step)
    moments = [_moment(first + place * reach.step, reach.step, ended, looks) for place in range(count)]
    causes: dict[str, int] = {}
    queues: dict[str, int] = {}
    for one in ended:
        if one.state == JobState.FAILED and one.bucket >= first:
            causes[one.cause or "-"] = causes.get(one.cause or "-", 0) + one.jobs
            queues[one.queue] = queues.get(one.queue, 0) + one.jobs
    return Past(moments, sorted(causes.items(), key=lambda pair: (-pair[1], pair[0])), queues)


def _moment(at: float, step: int, ended: Sequence[Activity], looks: Sequence[QueueLine]) -> Moment:
    mine = [one for one in ended if at <= one.bucket < at + step and one.state != JobState.CANCELLED]
    seen = [one for one in looks if at <= one.bucket < at + step]
    failed = sum(one.jobs for one in mine if one.state == JobState.FAILED)
    return Moment(
        at,
        done=sum(one.jobs for one in mine) - failed,
        failed=failed,
        usd=sum(one.usd for one in mine),
        busy=sum(one.seconds for one in mine),
        waiting=sum(one.waiting for one in seen) / len(seen) if seen else None,
        running=sum(one.running for one in seen) / len(seen) if seen else 0.0,
        oldest=max((one.oldest for one in seen), default=0.0),
    )


def drawn(past: Past, clock: Callable[[float], str]) -> list[Plot]:
    """The four drawings. clock: how the beginning of a step is said."""
    moments = past.moments
    dearest = max((one.usd for one in moments), default=0.0)
    busy = sum(one.busy for one in moments)
    number = past.done + past.failed
    longest = max((one.waiting or 0.0 for one in moments), default=0.0)
    mean = duration(busy / number) if number else "-"
    return [
        _plot("ended", "Ended", f"{past.done:,} done, {past.failed:,} failed", moments, clock,
              lambda one: (("good", one.done), ("bad", one.failed)),
              lambda one: f"{one.done} done, {one.failed} failed", lambda top: f"{top:,.0f}"),
        _plot("waiting", "Waiting", f"{longest:,.0f} at most", moments, clock,
              lambda one: (("plain", one.waiting or 0.0),),
              lambda one: "nobody looked" if one.waiting is None else
              f"{one.waiting:,.0f} waited, the oldest for {duration(one.oldest, whole=True)}; {one.running:,.0f} ran",
              lambda top: f"{top:,.0f}"),
        _plot("took", "Time a job took", f"{mean} on average", moments, clock,
              lambda one: (("plain", one.mean),), lambda one: duration(one.mean), duration),
        _plot("cost", "Price of ended jobs", f"{usd(dearest)} at most, sandbox included", moments, clock,
              lambda one: (("plain", one.usd),), lambda one: usd(one.usd), usd),
    ]  # fmt: skip


def _plot(
    name: str,
    title: str,
    total: str,
    moments: Sequence[Moment],
    clock: Callable[[float], str],
    parts: Callable[[Moment], Sequence[tuple[str, float]]],
    tell: Callable[[Moment], str],
    scale: Callable[[float], str],
) -> Plot:
    top = max((sum(value for _, value in parts(one)) for one in moments), default=0.0)
    place = WIDTH / max(1, len(moments))
    bars: list[Bar] = []
    said = []
    for number, one in enumerate(moments):
        x, y = number * place, float(HEIGHT)
        for kind, value in parts(one):
            height = max(2.0, HEIGHT * value / top) if value and top else 0.0
            y -= height
            if height:
                bars.append(
                    Bar(
                        round(x + place * _GAP / 2, 1),
                        round(y, 1),
                        round(place * (1 - _GAP), 1),
                        round(height, 1),
                        kind,
                    )
                )
        said.append((round(x, 1), round(place, 1), one.at, f"{clock(one.at)}: {tell(one)}"))
    return Plot(name, title, total, scale(top) if top else "", bars, said)
