"""The nine steps of the brand's conversation, as a founder reads them, and what was said in each."""

from collections.abc import Iterable
from dataclasses import dataclass

from bmn.db import event_store
from bmn.db.engine import Connection
from bmn.db.lists.listing import JobFilter, list_jobs
from bmn.db.records import BrandRow, JobRow
from bmn.schemas.look import differing
from bmn.schemas.look import told as told_look
from bmn.schemas.payloads import TERMINAL_STATES
from bmn.schemas.requests import BrandPatch
from bmn.server.pages.brand_rooms import WORDS
from bmn.server.pages.told import Saying
from bmn.work.looks import settled

_LOOKED_AT = 60
_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class StepForm:
    """name: of the wizard's step. press: its button. ask, example: of the field for one's own words."""

    name: str
    title: str
    text: str
    press: str
    ask: str
    example: str


STEPS: tuple[StepForm, ...] = (
    StepForm(
        "social-analysis", "Where you show up", "How your brand sounds in public, and who listens.",
        "Look around", "Your handle or site", "@acme.roasters",
    ),
    StepForm(
        "brand-identity", "Who you are", "A vision, a character, a voice, and colors that carry them.",
        "Find our character", "Who is it for?", "People who get up early",
    ),
    StepForm(
        "customization", "Your own wishes", "What must stay, what must go: it goes into the record.",
        "Work it in", "What do you wish?", "Keep the brown, make the voice drier",
    ),
    StepForm(
        "logo-generation", "A brief for the logo", "Agrees on what the logos show, and starts them.",
        "Write the brief", "What should it show?", "A bean, and something of the sea",
    ),
    StepForm(
        "logo-refinement", "Sharpen the logo", "Turns remarks into clear notes, and starts a new round.",
        "Sharpen it", "What bothers you?", "It looks too thin from afar",
    ),
    StepForm(
        "product-selection", "What to sell first", "Two or three products that suit you, with pictures of them.",
        "Choose products", "Where do you sell?", "A market stall, later a shop",
    ),
    StepForm(
        "mockup-review", "Look at the products", "Goes through the pictures, and keeps what you decide.",
        "Go through them", "What do you think?", "The tote is the best of them",
    ),
    StepForm(
        "bundle-builder", "Put a set together", "A set with a name that tells one story.",
        "Build the set", "For what occasion?", "A present for a housewarming",
    ),
    StepForm(
        "profit-calculator", "Does it pay?", "Price, cost and what is left, in figures you can check.",
        "Do the sums", "What would you charge?", "14 for the mug",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Talk:
    """One time that a step was gone through. asked: the founder's own words. said: what came back, oldest first.

    proposal: the look that it suggests instead of the brand's own, in words; empty where the brand has it, or keeps its own.
    """

    job: JobRow
    asked: str
    said: list[str]
    proposal: str = ""

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return self.job.state not in TERMINAL_STATES


def talks(conn: Connection, brand: BrandRow) -> dict[str, Talk]:
    """The newest talk of each step."""
    own = settled(conn, brand)
    found: dict[str, Talk] = {}
    for job in list_jobs(conn, _of(brand.id), limit=_LOOKED_AT).jobs:
        step = job.traits.step
        if step not in found:
            told = event_store.after(conn, job.id, 0, _EVENTS)
            said = [Saying.of(row.payload).content for row in told if row.event == "agent:message"]
            other = differing(own, proposed_look(job))
            proposal = told_look(own, other) if other else ""
            found[step] = Talk(job, _words(job.payload.get("input", {}).values()), said, proposal)
    return found


def proposed_look(job: JobRow) -> dict[str, object]:
    """What a step suggests to change of the brand's look, by the names of its record."""
    proposed = (job.result or {}).get("proposed") or {}
    return BrandPatch.model_validate(proposed).model_dump(exclude_unset=True)


def session_of(conn: Connection, brand_id: str) -> str | None:
    """The conversation that the newest talk belongs to, so that the next step knows what was said."""
    for job in list_jobs(conn, _of(brand_id), limit=_LOOKED_AT).jobs:
        if job.result and (session := job.result.get("sessionId") or job.result.get("session_id")):
            return str(session)
    return None


def _of(brand_id: str) -> JobFilter:
    return JobFilter(brand_id=brand_id, queue=WORDS.kind.queue)


def _words(values: Iterable[object]) -> str:
    return " ".join(value for value in values if isinstance(value, str))
