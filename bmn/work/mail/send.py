"""One mail, sent once: its words are kept with the job, and the mail service knows the job's own key.

Nobody gets more than so many a day, whoever asks for them. A mail too many fails as `bad_input`: it is told, logged and
counted as such, and is no dead letter.
"""

import hashlib
from dataclasses import asdict

import limits
from redis.exceptions import RedisError

from bmn.broker.limiter import open_limiter
from bmn.errors import Cause, JobFailure
from bmn.jobs.context import Context, Result
from bmn.jobs.units import AttemptUnit, open_unit
from bmn.logs import get_logger
from bmn.providers.resend import Mail, Resend
from bmn.schemas.events import Progress
from bmn.schemas.payloads import ALERT_TEMPLATE, EmailSend
from bmn.schemas.results import MailResult
from bmn.work.mail.render import Rendered, render

log = get_logger(__name__)

UNIT = "mail"


async def run(ctx: Context[EmailSend]) -> Result:
    """Sends one mail, once."""
    payload = ctx.payload
    unit = await open_unit(ctx, UNIT)
    if not unit.saved:
        words = await _words(ctx, unit)
        tags = {"template": payload.template, **({"userId": payload.user_id} if payload.user_id else {})}
        mail = Mail(payload.to, words.subject, words.html, words.text, tags)
        async with ctx.calling(UNIT):
            mail_id = await ctx.client(Resend).send(mail, idempotency_key=f"email/{ctx.job.id}")
        await unit.remember(mailId=mail_id)
        await unit.finish(Progress("saving", 95, "Sent"))
    return Result(f"Mail {payload.template} sent", data=MailResult(mail_id=unit.data.get("mailId")))


async def _words(ctx: Context[EmailSend], unit: AttemptUnit) -> Rendered:
    """The mail's words, the same for every attempt: another wording under the same key would be refused."""
    payload = ctx.payload
    if kept := unit.data.get("words"):
        return Rendered(**kept)
    words = render(ctx.settings, payload.template, payload.data)
    await _count(ctx)
    await unit.remember(words=asdict(words))
    return words


async def _count(ctx: Context[EmailSend]) -> None:
    """Counts a mail once, before its first attempt. Raises JobFailure where its addressee has had enough for a day.

    What our own support gets is not counted; the ops mail has its window, and an alert is told once.
    While Redis is away every mail goes out.
    """
    payload = ctx.payload
    most = ctx.settings.bmn_mails_per_day
    to_support = payload.user_id is None and payload.to == ctx.settings.support_email
    if not most or to_support or payload.template == ALERT_TEMPLATE:
        return
    whom = payload.user_id or hashlib.sha256(payload.to.lower().encode()).hexdigest()[:32]
    try:
        fits = await open_limiter(ctx.core.redis).hit(limits.RateLimitItemPerDay(most, namespace="mails"), whom)
    except (RedisError, OSError) as error:
        log.warning("mails are not counted while Redis is away", error=str(error))
        return
    if not fits:
        raise JobFailure(
            Cause.BAD_INPUT,
            f"Not sent: this user has had as many mails as a day allows ({most}).",
            hint="BMN_MAILS_PER_DAY sets it.",
        )
