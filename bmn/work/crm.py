"""One event of a user's, for the CRM: the contact's fields, then the tags that it adds. Off unless configured."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bmn.db.wizard import journeys
from bmn.errors import Cause, JobFailure
from bmn.jobs.context import Context, Result
from bmn.providers.gohighlevel import Contact, GoHighLevel, is_configured
from bmn.schemas.base import when
from bmn.schemas.payloads import CrmSync
from bmn.schemas.results import CrmResult, CrmSkipped
from bmn.signing import Signer

UNIT = "contact"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an event changes in a contact. tags: may name fields of its data. fields: ours = its data's name.

    is_activity: the user did something, which is their last activity.
    """

    tags: tuple[str, ...] = ()
    gone_tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    is_activity: bool = False


_BRAND = {"brand_name": "brandName", "brand_vision": "vision", "logo_url": "logoUrl"}

RULES: dict[str, Rule] = {
    "user.created": Rule(("bmn-user", "new-signup")),
    "wizard.started": Rule(("wizard-started",), is_activity=True),
    "wizard.step-completed": Rule(fields={"wizard_step": "step"}, is_activity=True),
    "wizard.abandoned": Rule(("abandoned-step-{lastStep}",), fields={"wizard_step": "lastStep"}, is_activity=True),
    "brand.completed": Rule(("brand-completed",), fields=_BRAND),
    "subscription.created": Rule(("tier-{tier}", "paying-customer"), ("churned",), {"tier": "tier"}),
    "subscription.cancelled": Rule(("churned",), ("paying-customer",)),
}


async def run(ctx: Context[CrmSync]) -> Result:
    """Brings a contact of the CRM to what has happened."""
    payload = ctx.payload
    if not is_configured(ctx.settings):
        return Result("No CRM is configured", data=CrmSkipped(skipped=True))
    rule, client = RULES[payload.event_type], ctx.client(GoHighLevel)
    contact = await _contact(ctx, rule)
    async with ctx.calling(UNIT):
        contact_id = await client.upsert(contact)
        await ctx.progress("syncing", 60, "Contact updated")
        if rule.gone_tags:
            await client.remove_tags(contact_id, rule.gone_tags)
        if rule.tags:
            await client.add_tags(contact_id, [_tag(tag, payload.data) for tag in rule.tags])
    return Result(f"CRM knows of {payload.event_type}", data=CrmResult(contact_id=contact_id))


async def _contact(ctx: Context[CrmSync], rule: Rule) -> Contact:
    """The user's account names the e-mail; an event may only where there is no account."""
    payload = ctx.payload
    email = await ctx.db.read(lambda conn: journeys.email_of(conn, payload.user_id)) or _word(payload.data, "email")
    if not email:
        raise JobFailure(Cause.BAD_INPUT, "Neither the event nor the user's account has an e-mail address.")
    fields = {ours: word for ours, name in rule.fields.items() if (word := _word(payload.data, name))}
    if logo := fields.get("logo_url"):
        fields["logo_url"] = Signer(ctx.settings, ctx.storage).lasting(logo)
    if rule.is_activity:
        fields["last_activity"] = when(time.time())
    return Contact(email, _word(payload.data, "fullName"), _word(payload.data, "phone"), fields)


def _word(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return str(value)[:500] if isinstance(value, str | int | float) and not isinstance(value, bool) and value else None


def _tag(pattern: str, data: Mapping[str, Any]) -> str:
    """A tag with the word of the event that it names; `unknown` where the event does not say."""
    return re.sub(r"\{(\w+)\}", lambda found: (_word(data, found[1]) or "unknown").lower()[:50], pattern)
