"""What a token says of itself before its signature is looked at: for logs and to tell callers apart, no more."""

from typing import Any, TypeGuard

import jwt

MAX_TOKEN_BYTES = 8192


def is_readable(token: object) -> TypeGuard[str]:
    """Whether a token is looked at at all. What is longer is never decoded: JSON in its base64 could hold everybody up."""
    return isinstance(token, str) and len(token) <= MAX_TOKEN_BYTES and token.isascii()


def said_by(token: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token, whoever wrote it; empty ones for what is none."""
    if not is_readable(token):
        return {}, {}
    try:
        found = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return {}, {}
    return found["header"], found["payload"]
