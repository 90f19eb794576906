"""`bmn token`: a bearer token for the local server."""

from typing import Annotated
from uuid import UUID

import typer

from bmn.cli.base import UsageError, examples, run, single
from bmn.cli.lookup.brand_lookup import find_brand
from bmn.cli.lookup.group_lookup import find_group
from bmn.cli.lookup.job_lookup import find_job
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import span
from bmn.schemas.documents import BrowserToken
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID, load_settings

app = single()


@app.command(
    cls=examples(
        "export BMN_TOKEN=$(bmn token)",
        'curl -H "Authorization: Bearer $(bmn token)" http://127.0.0.1:3000/api/v1/credits',
        "bmn token --job last --expires 10m                  # for a page that shows this job",
    )
)
def token(
    admin: Annotated[bool, typer.Option("--admin", help="Issue an admin token.")] = False,
    user: Annotated[
        UUID | None, typer.Option(metavar="UUID", help="For this user, instead of the development user.")
    ] = None,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", help="For a browser: reads and follows this job alone.")
    ] = None,
    brand: Annotated[
        str | None, typer.Option("--brand", metavar="BRAND", help="For a browser: reads and follows this brand alone.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="GROUP", help="For a browser: a kit, or jobs ordered together.")
    ] = None,
    expires: Annotated[
        float | None, typer.Option("--expires", parser=span, metavar="SPAN", help="Of a browser's token. [15m]")
    ] = None,
) -> None:
    """Prints a token that the server of this home accepts for 12 hours; refuses where Supabase signs the users in.

    With --job, --brand or --group, a browser's: the server makes it, with whatever you sign in with.
    """
    if job or brand or group:
        if admin or user or sum(map(bool, (job, brand, group))) > 1:
            raise UsageError("A browser's token is for one job, one brand or one group of yours.")
        _for_a_browser(job, brand, group, expires)
        return
    if expires is not None:
        raise UsageError("--expires goes with --job, --brand or --group.")
    from bmn.identity.development import mint_development_token

    role = "admin" if admin else "user"
    user_id, email = (str(user), None) if user else (DEV_USER_ID, DEV_USER_EMAIL)
    minted = mint_development_token(load_settings(), user_id, email, role)
    if console.json:
        console.document({"token": minted, "userId": user_id, "role": role})
        return
    console.answer(minted)


def _for_a_browser(job: str | None, brand: str | None, group: str | None, expires: float | None) -> None:
    async def make() -> BrowserToken:
        seconds = int(expires) if expires else None
        async with open_client() as client:
            if job:
                return await client.browser_token(job_id=await find_job(client, job), expires_in=seconds)
            if group:
                return await client.browser_token(group_id=await find_group(client, group), expires_in=seconds)
            found = await find_brand(client, brand or "")
            return await client.browser_token(brand_id=found.id, expires_in=seconds)

    made = run(make())
    if console.json:
        console.document(made)
        return
    console.answer(made.token)
