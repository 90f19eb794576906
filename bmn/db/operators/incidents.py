"""What is going on, and what it did: causes above their usual share, and the account of one cause.

An account is read from the failed attempts that jobs' logs keep (by time), from the jobs that carry the cause now, and
from what became of them and of their replays. It looks at the newest 10,000 of each at most, so that it costs the same
however large the tables are.
"""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Row, func, select

from bmn.db.lists.paging import COUNTED
from bmn.db.operators import alert_store, queue_store
from bmn.db.operators.alert_store import Alert
from bmn.db.sums import activity
from bmn.db.sums.rollup import DAY, HOUR
from bmn.db.tables import db_now, dead_letters, is_warning, job_logs, jobs
from bmn.errors import OUTAGES, Cause, NotFound, suggest
from bmn.numbers import is_whole
from bmn.schemas.payloads import TERMINAL_STATES, JobState

__all__ = ["DAY", "Account", "Surge", "UserAccount", "account", "surges"]

_USUAL = 7 * DAY  # what is usual, is so of this long
_LEAST = 3  # jobs of a cause within the hour that are worth a word
_TIMES = 2.0  # its usual share, and
_MORE = 0.02  # so much more of all that ended
_GENERATIONS = 10  # of replays that are followed
_CHUNK = 500
_FAILED = frozenset({JobState.FAILED, JobState.PARTIAL})  # something of it was never made


@dataclass(frozen=True, slots=True)
class Surge:
    """A cause that ended more jobs within the last hour than it usually does.

    queues: in which it did. Shares are of all jobs that ended in these, so that mails and errands dilute no generator's.
    """

    cause: str
    queues: tuple[str, ...]
    jobs: int
    share: float
    usual: float


@dataclass(frozen=True, slots=True)
class UserAccount:
    """What an incident did to one user, in jobs; a job and its replays count once. user_id: None for work of our own."""

    user_id: str | None
    jobs: int = 0
    healed: int = 0
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0
    refunded: int = 0

    @property
    def whole(self) -> bool:
        """Whether everything they had asked for was delivered, or they wanted it no more."""
        return not self.waiting and not self.failed


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an incident. cause: None for an alert that hurts no job by a cause of its own.

    held: other jobs that wait behind it, in the queues that it paused or that its alert names. credits_waiting: set aside
    for the jobs that it met and that have not ended. restarts: paused queues that try their provider again by themselves.
    usd_lost: what providers were paid for jobs that failed. exact: False where there are more than were looked at.
    Times are seconds since 1970.
    """

    cause: Cause | None
    alert: Alert | None
    first_seen: float | None = None
    last_seen: float | None = None
    users: tuple[UserAccount, ...] = ()
    held: int = 0
    credits_waiting: int = 0
    usd_lost: float = 0.0
    exact: bool = True
    paused: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    open_letters: int = 0

    def count(self, name: str) -> int:
        """How many jobs of all users: `jobs`, `healed`, `waiting`, `failed`, `cancelled`; or credits `refunded`."""
        return sum(int(getattr(user, name)) for user in self.users)


@dataclass(slots=True)
class _SeenBetween:
    first: float
    last: float


@dataclass(slots=True)
class _Found:
    """Jobs that met the cause, by id."""

    seen: dict[str, _SeenBetween] = field(default_factory=dict)
    exact: bool = True

    def add(self, job_id: str, first: float, last: float) -> None:
        held = self.seen.setdefault(job_id, _SeenBetween(first, last))
        held.first, held.last = min(held.first, first), max(held.last, last)


def surges(conn: Connection) -> list[Surge]:
    """Causes above their usual share, the largest first."""
    lately = activity.lately(conn, HOUR)
    usually = activity.history(conn, HOUR, _USUAL)
    queues_of: dict[str, set[str]] = {}
    for row in lately:
        if _is_trouble(row):
            queues_of.setdefault(row.cause, set()).add(row.queue)
    found = []
    for cause, names in queues_of.items():
        number, ended = _count(lately, cause, names)
        ever, ever_ended = _count(usually, cause, names)
        # The hour that is looked at is among the week's, and must not make itself usual.
        before, all_before = max(ever - number, 0), max(ever_ended - ended, 0)
        share, usual = number / ended, before / all_before if all_before else 0.0
        if number >= _LEAST and share > max(_TIMES * usual, usual + _MORE):
            found.append(Surge(cause, tuple(sorted(names)), number, share, usual))
    return sorted(found, key=lambda surge: surge.jobs, reverse=True)


def _is_trouble(row: activity.Activity) -> bool:
    return row.state in _FAILED and bool(row.cause)


def _count(rows: Iterable[activity.Activity], cause: str, names: Container[str]) -> tuple[int, int]:
    """Of the jobs that ended in these queues: how many of the cause, and how many in all."""
    of_cause = total = 0
    for row in rows:
        if row.queue in names:
            total += row.jobs
            of_cause += row.jobs if _is_trouble(row) and row.cause == cause else 0
    return of_cause, total


def account(conn: Connection, name: str, *, since: float) -> Account:
    """Of a cause, or of an alert by its number. since: how many seconds back. Raises NotFound."""
    if is_whole(name) and int(name) < 2**31:
        return _of_alert(conn, alert_store.get_alert(conn, int(name)), since)
    if name not in set(Cause):
        raise NotFound(
            f"There is neither a cause nor an alert called {name}.", hint=suggest(name, "causes", list(Cause))
        )
    return _of_cause(conn, Cause(name), since)


def _of_alert(conn: Connection, alert: Alert, since: float) -> Account:
    if alert.kind == alert_store.DEAD_LETTERS and alert.subject in set(Cause):
        return replace(_of_cause(conn, Cause(alert.subject), since), alert=alert)
    pause = queue_store.get_pause(conn, alert.subject)
    if pause is not None and pause.cause in set(Cause):
        return replace(_of_cause(conn, Cause(pause.cause), since), alert=alert)
    held = queue_store.waiting(conn).get(alert.subject, 0)
    return Account(None, alert, alert.opened_at, alert.resolved_at, held=held)


def _of_cause(conn: Connection, cause: Cause, since: float) -> Account:
    found = _jobs_with(conn, cause, since)
    rows = {row.id: row for row in _rows(conn, jobs.c.id, list(found.seen))}
    children = _children(conn, list(rows))
    users: dict[str | None, UserAccount] = {}
    credits_waiting, usd_lost, in_line = 0, 0.0, Counter[str]()
    for job_id in found.seen:
        row = rows.get(job_id)
        if row is None or row.parent_id in rows:
            continue  # gone with its retention, or a replay, which counts with the job that it replays
        last = _last(row, children)
        held = users.get(row.user_id, UserAccount(row.user_id))
        users[row.user_id] = _with(held, row, last)
        if last.state not in TERMINAL_STATES:
            credits_waiting += last.credits_reserved - last.credits_charged - last.credits_refunded
            in_line[last.queue] += last.state != JobState.ACTIVE
        if last.state == JobState.FAILED:
            usd_lost += row.cost_usd + (last.cost_usd if last.id != row.id else 0.0)
    pauses = [each for each in queue_store.settings(conn).values() if each.paused and each.cause == cause]
    paused = tuple(each.queue for each in pauses)
    waiting = queue_store.waiting(conn) if paused else {}
    times = list(found.seen.values())
    return Account(
        cause,
        None,
        min((each.first for each in times), default=None),
        max((each.last for each in times), default=None),
        tuple(sorted(users.values(), key=lambda user: (user.whole, -user.jobs, user.user_id or ""))),
        sum(max(0, waiting.get(queue, 0) - in_line[queue]) for queue in paused),
        credits_waiting,
        usd_lost,
        found.exact,
        paused,
        tuple(each.queue for each in pauses if each.probe_at is not None and cause in OUTAGES),
        _open_letters(conn, cause),
    )


def _open_letters(conn: Connection, cause: Cause) -> int:
    query = select(func.count()).select_from(dead_letters).where(dead_letters.c.state == "open")
    return int(conn.execute(query.where(dead_letters.c.cause == cause)).scalar_one())


def _jobs_with(conn: Connection, cause: Cause, since: float) -> _Found:
    """Which jobs met the cause, and when: in failed attempts that are over, and in what they carry now."""
    found = _Found()
    logged = (
        select(job_logs.c.job_id, job_logs.c.at)
        .where(is_warning, job_logs.c.at >= db_now() - since, job_logs.c.fields["cause"].as_string() == cause.value)
        .order_by(job_logs.c.at.desc())
        .limit(COUNTED + 1)
    )
    # A job that was replayed, or that waits, may have been made long before; one that met the cause before is of before.
    carried = (
        select(jobs.c.id, func.coalesce(jobs.c.completed_at, jobs.c.attempt_started_at, jobs.c.created_at))
        .where(jobs.c.cause == cause.value, jobs.c.created_at >= db_now() - since)
        .order_by(jobs.c.created_at.desc())
        .limit(COUNTED + 1)
    )
    for query in (logged, carried):
        rows = conn.execute(query).all()
        found.exact = found.exact and len(rows) <= COUNTED
        for job_id, at in rows[:COUNTED]:
            found.add(job_id, at, at)
    return found


_COLUMNS = (
    jobs.c.id,
    jobs.c.parent_id,
    jobs.c.queue,
    jobs.c.user_id,
    jobs.c.state,
    jobs.c.created_at,
    jobs.c.cost_usd,
    jobs.c.credits_reserved,
    jobs.c.credits_charged,
    jobs.c.credits_refunded,
)


def _rows(conn: Connection, column: "object", ids: list[str]) -> list[Row[tuple[object, ...]]]:
    found: list[Row[tuple[object, ...]]] = []
    for start in range(0, len(ids), _CHUNK):
        wanted = ids[start : start + _CHUNK]
        found += conn.execute(select(*_COLUMNS).where(column.in_(wanted)))  # type: ignore[attr-defined]
    return found


def _children(conn: Connection, ids: list[str]) -> dict[str, Row[tuple[object, ...]]]:
    """The newest replay of each job, and theirs."""
    newest: dict[str, Row[tuple[object, ...]]] = {}
    for _ in range(_GENERATIONS):
        made = _rows(conn, jobs.c.parent_id, ids)
        if not made:
            break
        for row in made:
            held = newest.get(row.parent_id)
            if held is None or held.created_at < row.created_at:
                newest[row.parent_id] = row
        ids = [row.id for row in made]
    return newest


def _last(row: Row[tuple[object, ...]], children: dict[str, Row[tuple[object, ...]]]) -> Row[tuple[object, ...]]:
    for _ in range(_GENERATIONS):
        if row.id not in children:
            break
        row = children[row.id]
    return row


def _with(user: UserAccount, row: Row[tuple[object, ...]], last: Row[tuple[object, ...]]) -> UserAccount:
    refunded = int(row.credits_refunded) + (int(last.credits_refunded) if last.id != row.id else 0)
    state = JobState(str(last.state))
    return replace(
        user,
        jobs=user.jobs + 1,
        healed=user.healed + (state is JobState.COMPLETED),
        waiting=user.waiting + (state not in TERMINAL_STATES),
        failed=user.failed + (state in _FAILED),
        cancelled=user.cancelled + (state is JobState.CANCELLED),
        refunded=user.refunded + refunded,
    )
