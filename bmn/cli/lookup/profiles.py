"""Profiles: the servers that somebody has signed in to, with a key each, in a file of their own (mode 0600)."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, ValidationError

from bmn import redaction
from bmn.cli.terminal.console import console
from bmn.errors import Misconfigured, NotFound
from bmn.schemas.base import Model
from bmn.settings import Settings, load_settings

NONE = "none"
"""The name that stands for no profile: the settings alone say where and who."""

_FILE = "profiles.json"


class Profile(Model):
    """A server and who we are there. production: what is done there is done to people."""

    api_url: str
    key: str
    production: bool = False


class _Stored(Model):
    current: str | None = None
    profiles: dict[str, Profile] = Field(default_factory=dict)


@dataclass(slots=True)
class Profiles:
    """All profiles by name. current: which one is used where none is named."""

    current: str | None = None
    known: dict[str, Profile] = field(default_factory=dict)

    def get(self, name: str) -> Profile:
        """Raises NotFound."""
        if name not in self.known:
            names = ", ".join(sorted(self.known)) or "none yet"
            raise NotFound(f"There is no profile {name!r}.", hint=f"Profiles: {names}. `bmn login` adds one.")
        return self.known[name]


def profiles_file() -> Path:
    """Below the folder that the platform keeps for a user's configuration."""
    import platformdirs

    return Path(platformdirs.user_config_dir("bmn")) / _FILE


def read_profiles() -> Profiles:
    """Those that are stored; none where there is no file. Raises Misconfigured for one that cannot be read."""
    path = profiles_file()
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        stored = _Stored.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Profiles()
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what `bmn login` writes"
        raise Misconfigured(f"{path} cannot be read: {reason}.", hint="Fix or remove it, then `bmn login`.") from None
    return Profiles(stored.current, dict(stored.profiles))


def write_profiles(profiles: Profiles) -> None:
    """Stores them, whole or not at all, for their owner's eyes only. Raises Misconfigured where that is not possible."""
    path = profiles_file()
    text = _Stored(current=profiles.current, profiles=profiles.known).model_dump_json(by_alias=True, indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".profiles.")  # made with mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
        Path(draft).replace(path)
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written: {error.strerror}.", hint="XDG_CONFIG_HOME names another folder."
        ) from None


def chosen_profile(settings: Settings) -> tuple[str, Profile] | None:
    """The profile that a command uses: the one of `--profile`, else the current one where nothing else says who we are."""
    if console.profile:
        return None if console.profile == NONE else (console.profile, read_profiles().get(console.profile))
    told = console.api_url or settings.bmn_api_url or settings.bmn_token.get_secret_value()
    if told:
        return None
    profiles = read_profiles()
    return (profiles.current, profiles.get(profiles.current)) if profiles.current else None


def client_settings() -> Settings:
    """The settings, with address and key of the profile that is used."""
    settings = load_settings()
    if (chosen := chosen_profile(settings)) is None:
        return settings
    name, profile = chosen
    redaction.hide([profile.key])
    if profile.production:
        console.production = f"{name}: production, {profile.api_url}"
    return load_settings(bmn_api_url=profile.api_url, bmn_token=profile.key)
