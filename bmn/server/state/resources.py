"""What one server process holds: built with the app, opened when it starts, closed when it stops."""

import asyncio

from bmn.broker.tally import Tally
from bmn.db.operators.alert_store import Trouble
from bmn.identity.key_format import ApiKeys
from bmn.identity.tokens import Authenticator
from bmn.jobs.alert_finders import SIGN_IN_KEYS
from bmn.jobs.alert_loop import AlertLoop
from bmn.jobs.core import Core, this_host
from bmn.schemas import documents
from bmn.server.state.metrics import Metrics
from bmn.server.state.rate_limit import RateLimit
from bmn.server.state.sessions import BrowserSessions
from bmn.server.state.snapshot import Snapshot
from bmn.server.state.tail import JobTail
from bmn.settings import Settings
from bmn.settings.running import ProcessPlace
from bmn.signing import Signer
from bmn.work.wiring import open_core

_KNOWN_USERS = 100_000


class Resources:
    """auth, metrics and closing are there at once; the rest after `open`.

    tally: what a user has open with all processes together. closing: set when the process begins to stop, so that
    streams end instead of holding it up. health, scrape: made once for all who ask within a moment.
    """

    core: Core
    tally: Tally
    signer: Signer
    limit: RateLimit
    tail: JobTail
    sessions: BrowserSessions
    health: Snapshot[documents.Health]
    scrape: Snapshot[bytes]

    def __init__(self, settings: Settings, place: ProcessPlace | None = None) -> None:
        self.settings = settings
        self.auth = Authenticator(settings)
        self.metrics = Metrics(place or ProcessPlace())
        self.closing = asyncio.Event()
        self.known_users: set[str] = set()

    async def open(self) -> None:
        """Opens everything; called before the first request."""
        self.core = await open_core(self.settings, "api")
        self.auth.api_keys = ApiKeys(self.core.db)
        self.signer = Signer(self.settings, self.core.storage)
        self.auth.browser_tokens = self.signer.browser_tokens()
        self.limit = RateLimit(self.settings, self.core)
        self.tail = JobTail(self.core.stream)
        self.sessions = BrowserSessions(self.core, self.auth, self.signer)
        self.tally = Tally(self.core.redis, self.core.pipelined)
        loops = [self.tally.run(), AlertLoop(self.core, self._trouble).run()]
        if self.metrics.siblings is not None:
            loops.append(self.metrics.siblings.run())
        self._loops = [asyncio.create_task(loop) for loop in loops]

    def _trouble(self) -> list[Trouble]:
        """What only this process can see."""
        if not self.auth.keys_failing:
            return []
        message = f"{this_host()} cannot fetch the keys that sign-in tokens are checked with; the last serve a day."
        return [Trouble(SIGN_IN_KEYS, this_host(), message, "error")]

    def remember_user(self, user_id: str) -> None:
        """Their account is open, so that no request has to look again."""
        if len(self.known_users) >= _KNOWN_USERS:
            self.known_users.clear()
        self.known_users.add(user_id)

    def begin_to_stop(self) -> None:
        """Ends the streams, which would hold the process up otherwise."""
        self.closing.set()
        if hasattr(self, "tail"):
            self.tail.wake_all()

    async def close(self) -> None:
        """Closes everything, in the opposite order."""
        self.begin_to_stop()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.tally.close()
        await self.tail.close()
        await self.auth.close()
        await self.core.close()
