"""Who a socket belongs to: asked in each namespace, when it is joined and while it is used."""

from typing import Any

from bmn.errors import NotSignedIn
from bmn.identity.key_format import PREFIX, is_key
from bmn.identity.tokens import NO_TOKEN, Authenticator, Principal
from bmn.identity.unproven import is_readable, said_by
from bmn.server.access.permissions import NAMESPACES, require

_LONGEST_NAME = 200


async def authenticate(auth: Authenticator, namespace: str, shown: Any, address: str) -> tuple[Principal, str]:
    """The caller and the token, from what the client showed as `auth`.

    Raises NotSignedIn, NotAllowed, and TryLater, with the words that the client is to see.
    """
    token = shown.get("token") if isinstance(shown, dict) else None
    if not token:
        raise NotSignedIn(NO_TOKEN)
    principal = await auth.verify(token, address=address)
    require(principal, NAMESPACES[namespace])
    return principal, token


def client_name(address: str, namespace: str, shown: Any) -> str:
    """Who asks to be let in, as far as it can be told before: where from, and who the unproven token is said to be of."""
    token = shown.get("token") if isinstance(shown, dict) else None
    if is_readable(token) and is_key(token):
        return f"{address} {namespace} {token[: len(PREFIX) + 12]}"[:_LONGEST_NAME]
    _, claims = said_by(token)
    subject = claims.get("sub")
    return f"{address} {namespace} {subject if isinstance(subject, str) else ''}"[:_LONGEST_NAME]
