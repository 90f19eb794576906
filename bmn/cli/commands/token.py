"""`bmn token`: a bearer token for the local server."""

import click

from bmn.cli.base import Command
from bmn.cli.terminal.console import console
from bmn.settings import DEV_USER_EMAIL, DEV_USER_ID, load_settings


@click.command(
    cls=Command,
    examples=(
        "export BMN_TOKEN=$(bmn token)",
        'curl -H "Authorization: Bearer $(bmn token)" http://127.0.0.1:3000/api/v1/credits',
    ),
)
@click.option("--admin", is_flag=True, help="One that may see and steer everything.")
@click.option("--user", type=click.UUID, metavar="UUID", help="For this user, instead of the development user.")
def token(admin: bool, user: object) -> None:
    """Prints a token that the server of this home accepts for 12 hours; refuses where Supabase signs the users in."""
    from bmn.identity.tokens import mint_development_token

    role = "admin" if admin else "user"
    user_id, email = (str(user), None) if user else (DEV_USER_ID, DEV_USER_EMAIL)
    minted = mint_development_token(load_settings(), user_id, email, role)
    if console.json:
        console.document({"token": minted, "userId": user_id, "role": role})
        return
    console.answer(minted)
