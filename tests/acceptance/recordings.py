"""What was heard of jobs, for several criteria to look at."""

from dataclasses import dataclass
from typing import Any

from tests.acceptance.world import Brand, Person


@dataclass(frozen=True, slots=True)
class Recording:
    """What a front end heard of jobs. events: (name, data, milliseconds since 1970 at which the client had it)."""

    person: Person
    brand: Brand
    job_ids: list[str]
    answer: dict[str, Any]
    events: list[tuple[str, dict[str, Any], float]]

    def data(self, name: str) -> list[dict[str, Any]]:
        return [data for event, data, _ in self.events if event == name]


@dataclass(frozen=True, slots=True)
class Death:
    """A job whose provider failed at every attempt. told: what its owner heard. alarms: what admins heard."""

    person: Person
    brand: Brand
    job_id: str
    told: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
