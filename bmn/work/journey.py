"""A user's way through their brand, as the CRM and the mailbox hear of it. Each step is told once: its job's id says so.

None of this may touch the user's own work: a mail or a CRM event that fails is a job of its own that fails.
"""

from collections.abc import Mapping
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from bmn.db.records import BrandRow
from bmn.db.wizard import journeys
from bmn.jobs.core import Core
from bmn.jobs.submission import dispatch
from bmn.logs import get_logger

log = get_logger(__name__)

ABANDONED_SECONDS = 24 * 3600


async def wizard_started(core: Core, user_id: str, brand_id: str) -> None:
    """A user has opened the wizard for a brand."""
    await _crm(core, user_id, "wizard.started", f"{brand_id}/started", {"brandId": brand_id})


async def step_completed(core: Core, user_id: str, brand_id: str, step: str, job_id: str) -> None:
    """A step of the wizard is done."""
    await _crm(core, user_id, "wizard.step-completed", f"{job_id}/step", {"brandId": brand_id, "step": step})


async def brand_completed(core: Core, user_id: str, brand: BrandRow) -> None:
    """All steps are done: the CRM hears of it, and the user gets a mail."""
    logo = await core.db.read(lambda conn: journeys.chosen_logo(conn, brand.id))
    data = {"brandName": brand.name, "vision": brand.vision or "", "logoUrl": logo or ""}
    await _crm(core, user_id, "brand.completed", f"{brand.id}/completed", data)
    link = f"{core.settings.public_address}/g/{brand.id}"
    mail = {"brandName": brand.name, "dashboardUrl": link}
    await _mail(core, user_id, "brand-complete", f"{brand.id}/completed", mail)


async def remind_abandoned(core: Core) -> int:
    """Wizards that nobody touched for a day: one mail and one CRM event each; returns how many."""
    left = await core.db.read(lambda conn: journeys.abandoned(conn, ABANDONED_SECONDS))
    for session in left:
        brand_id, step = session.brand_id, session.step
        link = f"{core.settings.public_address}/g/{brand_id}"
        await _crm(core, session.user_id, "wizard.abandoned", f"{brand_id}/abandoned", {"lastStep": step})
        mail = {"lastStep": step, "resumeUrl": link, "brandName": session.name}
        await _mail(core, session.user_id, "wizard-abandoned", f"{brand_id}/abandoned", mail)
        await core.db.write(partial(journeys.note_reminded, session_id=session.id))
    return len(left)


async def _crm(core: Core, user_id: str, event: str, once: str, data: Mapping[str, object]) -> None:
    email = await core.db.read(lambda conn: journeys.email_of(conn, user_id))
    if not email:
        return
    payload = {"userId": user_id, "eventType": event, "data": {"email": email, **data}}
    await dispatch(core, "crm-sync", payload, job_id=f"crm-sync-{uuid5(NAMESPACE_URL, once)}")


async def _mail(core: Core, user_id: str, template: str, once: str, data: Mapping[str, object]) -> None:
    email = await core.db.read(lambda conn: journeys.email_of(conn, user_id))
    if not email:
        return
    payload = {"to": email, "template": template, "userId": user_id, "data": {"name": email.split("@")[0], **data}}
    await dispatch(core, "email-send", payload, job_id=f"email-send-{uuid5(NAMESPACE_URL, once)}")
