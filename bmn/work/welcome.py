"""The first sight of a user: their credit account, a welcome mail and the CRM's `user.created`."""

from pydantic import ValidationError

from bmn.db import job_store
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.records import NewJob
from bmn.db.transitions import Change
from bmn.jobs.core import Core
from bmn.jobs.submission import store_jobs
from bmn.logs import get_logger
from bmn.settings import DEV_USER_ID

log = get_logger(__name__)


async def ensure_known(core: Core, user_id: str, email: str | None) -> bool:
    """Opens the account of a user who was never seen; True if they are new. Safe to call at every request.

    The jobs that greet them are stored in the same transaction, also while Redis is away or full: whoever only looks is let
    in, and nobody is greeted never.
    """
    settings = core.settings
    start = settings.bmn_credits_dev_user if user_id == DEV_USER_ID else settings.bmn_credits_new_user

    def open_account(conn: Connection) -> tuple[bool, list[Change]]:
        if not credit_store.ensure_user(conn, user_id, email, start):
            return False, []
        greeting = _greeting(core, user_id, email) if email and user_id != DEV_USER_ID else []
        return True, [store_jobs(conn, core, None, [job]) for job in greeting if not job_store.exists(conn, job.id)]

    new, changes = await core.db.write(open_account)
    for change in changes:
        core.outbox.publish(change)
    if changes:
        log.info("new user", user_id=user_id)
    return new


def _greeting(core: Core, user_id: str, email: str) -> list[NewJob]:
    """Nothing for an address that no mail goes to: that keeps nobody out."""
    mail = {"to": email, "template": "welcome", "userId": user_id, "data": {"name": email.split("@")[0]}}
    told = {"userId": user_id, "eventType": "user.created", "data": {"email": email}}
    planned = []
    try:
        for name, data in (("email-send", mail), ("crm-sync", told)):
            queue = core.queue(name)
            planned.append(queue.new_job(queue.payload.model_validate(data), job_id=f"{name}-{user_id}"))
    except ValidationError as error:
        log.warning("no welcome mail: the user's address cannot be used", user_id=user_id, fields=error.error_count())
        return []
    return planned
