"""A job's life as a state machine: two workers, stale fences, a sweeper, users who cancel and bring back.

Whatever is done in whatever order, an executor that lost its job changes nothing, and the books add up.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import update

from bmn.db import claims, job_store, transitions, unit_store
from bmn.db.accounts import credit_store
from bmn.db.engine import make_engine
from bmn.db.migrations import migrate
from bmn.db.tables import jobs
from bmn.errors import Cause, InsufficientCredits
from bmn.jobs.submission import store_admitted
from bmn.schemas.events import Progress
from bmn.schemas.payloads import JobState
from bmn.schemas.results import Counts
from tests.kit import checker
from tests.kit.people import ANA
from tests.kit.rows import QUEUE, held, new_job

MOST_ATTEMPTS = 3


@dataclass
class Life:
    """What the model knows of a job."""

    units: int
    state: str = "queued"
    fence: int = 0
    attempt: int = 0
    losses: int = 0
    saved: set[str] = field(default_factory=set)
    cancel_asked: bool = False
    replayed: bool = False


@dataclass(frozen=True)
class Token:
    """What an executor writes with; kept after it is stale."""

    job_id: str
    fence: int


class JobsLife(RuleBasedStateMachine):
    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="bmn-life-")
        self.url = f"sqlite:///{Path(self.folder.name) / 'life.sqlite3'}"
        migrate(self.url)
        self.engine = make_engine(self.url, writer=True)
        self.lives: dict[str, Life] = {}
        self.balance = 30
        self.do(lambda conn: credit_store.ensure_user(conn, ANA, None, self.balance))

    def do(self, fn: Any) -> Any:
        with self.engine.begin() as conn:
            return fn(conn)

    def teardown(self) -> None:
        report = checker.check(checker.read_books(self.url), served=())
        self.engine.dispose()
        self.folder.cleanup()
        assert report.problems == []

    # --- what people do --------------------------------------------------------------------------------------------

    @rule(number=st.integers(1, 4))
    def submit(self, number: int) -> None:
        self._store(new_job(user_id=ANA, credits=number, payload={"count": number}), number)

    def _store(self, job: Any, number: int) -> bool:
        spent = sum(life.units for life in self.lives.values())
        try:
            self.do(lambda conn: store_admitted(conn, ANA, [job]))
        except InsufficientCredits as refused:
            assert refused.extra["required"] > refused.extra["available"]
            return False
        assert spent >= 0
        self.lives[job.id] = Life(number)
        return True

    @precondition(lambda self: self.lives)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(
            st.sampled_from(list(self.lives))
        )  # oldest first: by their ids each run would have another order
        life = self.lives[job_id]
        change = self.do(lambda conn: transitions.cancel_waiting(conn, job_store.get_job(conn, job_id), ANA))
        assert bool(change) == (life.state in ("queued", "retrying"))
        if change:
            life.state, life.fence = "cancelled", life.fence + 1
            return
        asked = self.do(lambda conn: transitions.ask_to_cancel(conn, job_id, ANA))
        assert asked == (life.state == "active")
        life.cancel_asked = life.cancel_asked or asked

    @precondition(lambda self: any(life.state == "failed" and not life.replayed for life in self.lives.values()))
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        dead = [job_id for job_id, life in self.lives.items() if life.state == "failed" and not life.replayed]
        parent = data.draw(st.sampled_from(dead))
        missing = self.lives[parent].units - len(self.lives[parent].saved)
        job = new_job(user_id=ANA, credits=missing, parent_id=parent, payload={"count": self.lives[parent].units})
        if self._store(job, self.lives[parent].units):
            self.lives[parent].replayed = True
            self.lives[job.id].saved = set(self.lives[parent].saved)

    # --- what workers do -------------------------------------------------------------------------------------------

    @rule(target=tokens, owner=st.sampled_from(["one", "two"]))
    def claim(self, owner: str) -> Token:
        due = [job_id for job_id, life in self.lives.items() if life.state in ("queued", "retrying")]
        rows = self.do(lambda conn: claims.claim(conn, QUEUE, 1, owner, 10))
        assert len(rows) == min(1, len(due))
        if not rows:
            return Token("none", 0)
        life = self.lives[rows[0].id]
        life.state, life.fence, life.attempt = "active", life.fence + 1, life.attempt + 1
        assert (rows[0].fence, rows[0].attempt) == (life.fence, life.attempt)
        return Token(rows[0].id, rows[0].fence)

    def _holds(self, token: Token) -> bool:
        life = self.lives.get(token.job_id)
        return life is not None and life.state == "active" and life.fence == token.fence

    def _write(self, token: Token, fn: Any) -> Any:
        """Does it, and says that it took place exactly if the token is the current one."""
        if token.job_id not in self.lives:
            return None
        change = self.do(lambda conn: fn(conn, held(conn, token.job_id, token.fence)))
        assert (change is not None) == self._holds(token)
        return change

    @rule(token=tokens, percent=st.integers(0, 99))
    def progress(self, token: Token, percent: int) -> None:
        shown = Progress("generating", percent, "…")
        self._write(token, lambda conn, job: transitions.progress(conn, job, shown))

    @rule(token=tokens)
    def save_the_next_unit(self, token: Token) -> None:
        life = self.lives.get(token.job_id)
        if life is None or len(life.saved) >= life.units:
            return
        unit = f"logo-{len(life.saved)}"
        half = Progress("generating", 50, "…")
        change = self._write(
            token,
            lambda conn, job: unit_store.save(conn, job, unit, asset=None, price=1, usd=0.0, shown=half),
        )
        if change:
            life.saved.add(unit)

    @rule(token=tokens)
    def complete(self, token: Token) -> None:
        life = self.lives.get(token.job_id)
        whole = life is not None and len(life.saved) == life.units
        change = self._write(
            token,
            lambda conn, job: transitions.complete(conn, job, "done", Counts({}), partial=not whole),
        )
        if change:
            self.lives[token.job_id].state = JobState.COMPLETED if whole else JobState.PARTIAL

    @rule(token=tokens, cause=st.sampled_from([Cause.BUG, Cause.MODERATED, Cause.TIMEOUT]))
    def fail(self, token: Token, cause: Cause) -> None:
        change = self._write(token, lambda conn, job: transitions.fail(conn, job, cause, "broken"))
        if change:
            self.lives[token.job_id].state = "failed"
            assert bool(change.dead) == (cause is not Cause.MODERATED)

    @rule(token=tokens)
    def retry(self, token: Token) -> None:
        life = self.lives.get(token.job_id)
        left = MOST_ATTEMPTS - life.attempt if life else 0
        if life and self._holds(token) and left <= 0:
            return
        change = self._write(
            token,
            lambda conn, job: transitions.retry(
                conn, job, delay=0, cause=Cause.TIMEOUT, error="slow", retries_left=left
            ),
        )
        if change:
            self._back(self.lives[token.job_id], "retrying")

    @rule(token=tokens)
    def hand_on(self, token: Token) -> None:
        if self._write(token, transitions.hand_on):
            life = self.lives[token.job_id]
            if not life.cancel_asked:
                life.attempt -= 1
            self._back(life, "queued")

    def _back(self, life: Life, state: str) -> None:
        life.state = "cancelled" if life.cancel_asked else state

    @rule(token=tokens)
    def stop_on_request(self, token: Token) -> None:
        if self._write(token, transitions.cancel):
            self.lives[token.job_id].state = "cancelled"

    # --- what the sweeper does -------------------------------------------------------------------------------------

    @precondition(lambda self: any(life.state == "active" for life in self.lives.values()))
    @rule(data=st.data())
    def lose_a_worker(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from([j for j, life in self.lives.items() if life.state == "active"]))
        late = update(jobs).where(jobs.c.id == job_id).values(lease_until=1.0)
        self.do(lambda conn: conn.execute(late))
        (row,) = self.do(lambda conn: claims.expired(conn, stale_after={}))
        assert row.id == job_id
        self.do(lambda conn: transitions.lose(conn, row))
        life = self.lives[job_id]
        if life.cancel_asked:
            life.state = "cancelled"
        elif life.losses + 1 >= transitions.MAX_LOSSES:
            life.state = "failed"
        else:
            life.state, life.attempt = "queued", life.attempt - 1
        life.losses += 1

    # --- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        for job_id, life in self.lives.items():
            row = self.do(lambda conn, i=job_id: job_store.get_job(conn, i))
            assert (row.state, row.fence, row.attempt) == (life.state, life.fence, life.attempt)

    @invariant()
    def nobody_spends_what_they_do_not_have(self) -> None:
        account = self.do(lambda conn: credit_store.balance(conn, ANA))
        assert min(account.remaining, account.reserved, account.used) >= 0
        assert account.remaining + account.reserved + account.used == self.balance


TestJobsLife = JobsLife.TestCase
TestJobsLife.pytestmark = [pytest.mark.full]
TestJobsLife.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
