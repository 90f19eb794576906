"""One mail, sent once: its words are kept with the job, and the mail service knows the job's own key."""

from dataclasses import asdict

from bmn.jobs.context import Context, Result
from bmn.jobs.emails import Rendered, render
from bmn.jobs.units import Unit
from bmn.providers.resend import Mail, Resend
from bmn.schemas.jobs import EmailSend

UNIT = "mail"


async def run(ctx: Context) -> Result:
    payload = ctx.payload
    assert isinstance(payload, EmailSend)
    unit = await ctx.unit(UNIT)
    if not unit.saved:
        words = await _words(ctx, payload, unit)
        tags = {"template": payload.template, **({"userId": payload.user_id} if payload.user_id else {})}
        mail = Mail(payload.to, words.subject, words.html, words.text, tags)
        async with ctx.calling(UNIT):
            mail_id = await ctx.client(Resend).send(mail, idempotency_key=f"email/{ctx.job_id}")
        await unit.remember(mailId=mail_id)
        await unit.finish(progress=95, message="Sent")
    return Result(f"Mail {payload.template} sent", data={"mailId": unit.data.get("mailId")})


async def _words(ctx: Context, payload: EmailSend, unit: Unit) -> Rendered:
    """The mail's words, the same for every attempt: another wording under the same key would be refused."""
    if kept := unit.data.get("words"):
        return Rendered(**kept)
    words = render(ctx.settings, payload.template, payload.data)
    await unit.remember(words=asdict(words))
    return words
