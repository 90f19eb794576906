"""The first sight of a user: their credit account, a welcome mail and the CRM's `user.created`."""

from bmn.db import credits
from bmn.jobs.core import Core
from bmn.jobs.submission import dispatch
from bmn.logs import get_logger
from bmn.settings import DEV_USER_ID

log = get_logger(__name__)


async def ensure_known(core: Core, user_id: str, email: str | None) -> bool:
    """Opens the account of a user who was never seen; True if they are new. Safe to call at every request."""
    settings = core.settings
    start = settings.bmn_credits_dev_user if user_id == DEV_USER_ID else settings.bmn_credits_new_user
    new = await core.db.write(lambda conn: credits.ensure_user(conn, user_id, email, start))
    if new and email and user_id != DEV_USER_ID:
        data = {"email": email}
        await dispatch(
            core,
            "email-send",
            {"to": email, "template": "welcome", "userId": user_id, "data": {"name": email.split("@")[0]}},
            job_id=f"email-send-{user_id}",
        )
        await dispatch(
            core,
            "crm-sync",
            {"userId": user_id, "eventType": "user.created", "data": data},
            job_id=f"crm-sync-{user_id}",
        )
        log.info("new user", user_id=user_id)
    return new
