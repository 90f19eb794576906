"""`bmn token`: a bearer token for the local server."""

from typing import Annotated
from uuid import UUID

import typer

from bmn.cli.base import examples, single
from bmn.cli.terminal.console import console
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID, load_settings

app = single()


@app.command(
    cls=examples(
        "export BMN_TOKEN=$(bmn token)",
        'curl -H "Authorization: Bearer $(bmn token)" http://127.0.0.1:3000/api/v1/credits',
    )
)
def token(
    admin: Annotated[bool, typer.Option("--admin", help="Issue an admin token.")] = False,
    user: Annotated[
        UUID | None, typer.Option(metavar="UUID", help="For this user, instead of the development user.")
    ] = None,
) -> None:
    """Prints a token that the server of this home accepts for 12 hours; refuses where Supabase signs the users in."""
    from bmn.identity.development import mint_development_token

    role = "admin" if admin else "user"
    user_id, email = (str(user), None) if user else (DEV_USER_ID, DEV_USER_EMAIL)
    minted = mint_development_token(load_settings(), user_id, email, role)
    if console.json:
        console.document({"token": minted, "userId": user_id, "role": role})
        return
    console.answer(minted)
