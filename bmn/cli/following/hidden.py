"""What belongs to other users, and is shown to nobody who has not said why."""

from bmn.cli.terminal.console import console
from bmn.redaction import HIDDEN
from bmn.schemas.documents import Job


def is_hidden(job: Job) -> bool:
    """Whether something of it is kept back."""
    return HIDDEN in (job.brand_name, job.message, job.error)


def say_hidden(hidden: bool) -> None:
    """Says how to see it, where something was kept back."""
    if hidden:
        console.say("What users have said and made is hidden: --reveal REASON shows it, and is audited.")
