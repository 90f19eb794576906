"""A session as it lies in Redis while its client may come back, also to a server of the release before or after."""

from pydantic import BaseModel, ConfigDict, Field

from bmn.server.sockets.ring import Position
from bmn.server.sockets.session import HistoryRange


class SavedState(BaseModel):
    """born, sent: as the session has them. seen: up to where its server had looked.

    marks: the last seq of each job, newest first. ranges: parts of jobs' histories that were sent, each with the fields of
    `HistoryRange`. Aliases are the stored names, which other releases read too while a deployment goes through.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    sid: str
    rooms: list[str]
    born: Position
    sent: Position
    seen: Position
    replayed: int = Field(alias="told")
    ranges: list[tuple[str, int, int, int]] = Field(alias="tales")
    marks: dict[str, int] = Field(alias="high")

    @property
    def histories(self) -> list[HistoryRange]:
        """The parts of histories that the client was sent, or was being sent."""
        return [HistoryRange(*fields) for fields in self.ranges]
