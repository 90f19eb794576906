"""What workers are told over a channel: by RQ and its dashboard, and by us."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class WorkerCommand(BaseModel):
    """One order. command, job_id: RQ's. cancel: a job's id. drain: names of workers, to end within `seconds`.

    scale: a queue, of which the supervisors in `families` are to keep `count` workers. deployment: whose workers are meant,
    as channels have no number and every deployment on a server hears all; None for those of any.
    """

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    deployment: str | None = None
    command: str | None = None
    job_id: str | None = None
    cancel: str | None = None
    drain: list[str] | None = None
    seconds: float = Field(0.0, ge=0.0)
    scale: str | None = None
    count: int = 0
    families: list[str] = Field(default_factory=list)

    def dump(self) -> str:
        """As it is published."""
        return self.model_dump_json(exclude_unset=True)


def read_command(data: Any) -> WorkerCommand | None:
    """A command that came by a channel; None for anything else, which whoever can publish may send."""
    try:
        return WorkerCommand.model_validate_json(data)
    except ValidationError:
        return None
