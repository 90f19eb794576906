"""What the wizard's tools have in common: whose job it is, what its session remembers, how arguments are checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from bmn.broker import redis_keys
from bmn.broker.cache import forget
from bmn.db.engine import Connection
from bmn.db.library import asset_store, brand_store
from bmn.db.records import BrandAssetRow, BrandRow
from bmn.errors import Cause, JobFailure
from bmn.events import audience
from bmn.jobs.context import Context
from bmn.schemas.base import Text
from bmn.schemas.generators.wizard import BrandWizard
from bmn.schemas.look import Look
from bmn.work.defaults import BrandDefaults
from bmn.work.looks import look_of, settled
from bmn.work.wizard.state import StepState

Line = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Paragraph = Annotated[Text, StringConstraints(min_length=1, max_length=2000)]
Answer = Mapping[str, object]
"""What a model is told: a document of JSON that nobody of ours reads again."""


def refused(why: str) -> JobFailure:
    """What a tool raises where it will not do as asked; the model reads why."""
    return JobFailure(Cause.BAD_INPUT, why)


@dataclass(slots=True)
class Desk:
    """What a tool works with. state: of the session's step, kept after every turn. hosts: those that the user named."""

    ctx: Context[BrandWizard]
    session_id: str
    state: StepState
    hosts: frozenset[str]

    @property
    def user_id(self) -> str:
        """Whose conversation it is."""
        return self.ctx.payload.user_id

    @property
    def brand_id(self) -> str:
        """Which brand it is about."""
        return self.ctx.payload.brand_id

    async def brand(self) -> BrandRow:
        """The brand as it is now."""
        return await self.ctx.db.read(lambda conn: brand_store.get(conn, self.brand_id, self.user_id))

    async def look(self) -> BrandDefaults:
        """What the brand looks like, its picked logo included."""
        return await self.ctx.db.read(lambda conn: look_of(conn, brand_store.get(conn, self.brand_id, self.user_id)))

    async def settled(self) -> Look:
        """What of the brand's look is settled: by its record, else by its picked logo."""
        return await self.ctx.db.read(lambda conn: settled(conn, brand_store.get(conn, self.brand_id, self.user_id)))

    async def change_brand(self, change: Callable[[Connection], BrandRow], told: Mapping[str, Any]) -> BrandRow:
        """Commits a change of the brand's record and lets everybody see it. told: what dashboards hear, by HTTP's names."""
        row = await self.ctx.commit(change)
        await forget(self.ctx.core.redis, redis_keys.cache("brand", self.brand_id))
        self.ctx.outbox.send(
            [audience.brand_updated(self.user_id, self.brand_id, name, value) for name, value in told.items()]
        )
        return row

    async def pictures(self, kind: str) -> list[BrandAssetRow]:
        """The brand's assets of a kind: the selected one first, then the newest."""
        rows, _ = await self.ctx.db.read(lambda conn: asset_store.list_of_brand(conn, self.brand_id, asset_type=kind))
        return sorted(rows, key=lambda asset: not asset.is_selected)


class Arguments(BaseModel):
    """Base of what a tool accepts; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)
