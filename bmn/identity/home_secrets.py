"""Secrets that this home keeps for itself: random, made at first use, readable by their owner only."""

import os
import secrets
from pathlib import Path
from uuid import uuid4

from bmn.errors import Misconfigured
from bmn.settings import Settings

DEVELOPMENT = "dev-secret"
"""Signs the tokens of a server without a Supabase project."""
LINKS = "signing-secret"
"""Signs links to files and shares, where no other secret is set."""
_LEAST = 32  # characters; ours have 64, and HS256 wants that many bytes


def home_secret(settings: Settings, name: str) -> str:
    """The secret of this name. Raises Misconfigured, which names the file and what is in the way."""
    path = settings.bmn_home / name
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        text = path.read_text().strip()
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise _unusable(path, error) from None
    if len(text) < _LEAST:
        raise Misconfigured(
            f"{path} holds no secret of ours: it is empty, cut or not text.",
            hint="Remove it. A new one is made, and what the old one signed ends.",
        )
    return text


def check_home_secrets(settings: Settings) -> None:
    """Reads those that are there, and makes none. Raises Misconfigured as `home_secret` does."""
    for name in (DEVELOPMENT, LINKS):
        if os.path.lexists(settings.bmn_home / name):
            home_secret(settings, name)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)  # whole or not at all: two processes may start at once
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _unusable(path: Path, error: OSError) -> Misconfigured:
    if not path.parent.is_dir() or (
        isinstance(error, PermissionError) and not os.access(path.parent, os.W_OK | os.X_OK)
    ):
        return Misconfigured(
            f"BMN_HOME cannot be used: {path.parent} ({error.strerror})",
            hint="Set BMN_HOME to a folder that you can write to.",
        )
    return Misconfigured(
        f"{path} cannot be used: {error.strerror}",
        hint="Make it a file that you own and can read, or remove it: a new one is made, and what the old one signed ends.",
    )
