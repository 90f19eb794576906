"""What operators are told of an incident: whom it hurt, what it cost, what mends it, who was made whole."""

from bmn.schemas.documents.document import Document, Time
from bmn.schemas.documents.operator_documents import AlertRecord


class CauseSurge(Document):
    """A cause that ended more jobs in the last hour than it usually does.

    queues: in which it did. Shares, 0 to 1, are of all jobs that ended in these queues.
    """

    cause: str
    queues: list[str]
    jobs: int
    share: float
    usual_share: float
    next_step: str


class Incidents(Document):
    """What is going on: open alerts, newest first, and causes above their usual share, the largest first."""

    alerts: list[AlertRecord]
    causes: list[CauseSurge]


class IncidentUser(Document):
    """What it did to one user, in jobs; a job and its replays count once. user_id: null for work of our own.

    made_whole: everything they had asked for was delivered, or they had cancelled it.
    """

    user_id: str | None
    jobs: int
    healed: int
    waiting: int
    failed: int
    cancelled: int
    credits_refunded: int
    made_whole: bool


class Incident(Document):
    """The account of a cause, or of an alert and its cause. Jobs: healed, waiting, failed and cancelled are all of them.

    held: other jobs that wait behind it, and have not met it themselves. credits_waiting: set aside for the jobs that it met
    and that have not ended; what they do not deliver goes back. usd_lost: what providers were paid
    for jobs that failed. remedy: the one command that mends the rest; null where nothing is left to mend. advice: for the
    operator. words: for the users concerned. users: those not made whole first; a hundred at most. exact: false where more
    jobs were hurt than the 10,000 that were looked at.
    """

    cause: str | None
    alert: AlertRecord | None
    first_seen: Time | None
    last_seen: Time | None
    jobs: int
    healed: int
    waiting: int
    failed: int
    cancelled: int
    held: int
    users_hurt: int
    users_whole: int
    credits_waiting: int
    credits_refunded: int
    usd_lost: float
    remedy: str | None
    advice: str
    words: str
    users: list[IncidentUser]
    exact: bool
