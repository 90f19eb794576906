"""Where settings come from: the environment, and in development the `.env` of the current folder."""

import codecs
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dotenv.main import DotEnv
from dotenv.parser import parse_stream
from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from bmn.errors import Misconfigured
from bmn.settings.texts import plain

ENV_FILE = Path(".env")
_PRODUCTION = ("production", "prod")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Surroundings(PydanticBaseSettingsSource):
    """Gives each field the first of its variables that is not empty, of the environment, else of `.env`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        found = find(field, field_name)
        return (found[1] if found else None), field_name, False

    def __call__(self) -> dict[str, object]:
        sources = where_set()
        found = {name: find(field, name, sources) for name, field in self.settings_cls.model_fields.items()}
        return {name: entry[1] for name, entry in found.items() if entry}


def find(field: FieldInfo, name: str, sources: dict[str, dict[str, str]] | None = None) -> tuple[str, str, str] | None:
    """(variable, value, where it stands) of a field; None where it is not set. Blank is not set."""
    for where, values in (where_set() if sources is None else sources).items():
        for variable in variables(field, name):
            if plain(values.get(variable, "")):
                return variable, values[variable], where
    return None


def variables(field: FieldInfo, name: str) -> list[str]:
    """The variables that a field is read from, the first that is set wins."""
    choices = field.validation_alias
    named = [str(choice) for choice in choices.choices] if isinstance(choices, AliasChoices) else [name]
    return list(dict.fromkeys(variable.upper() for variable in named))


def in_production() -> bool:
    """What the environment alone says, since it decides whether `.env` is read."""
    return plain(os.environ.get("BMN_ENV") or os.environ.get("NODE_ENV") or "").lower() in _PRODUCTION


def default_home() -> Path:
    """The platform's folder for a user's data. Raises Misconfigured where this user has none."""
    import platformdirs  # noqa: PLC0415 - only where BMN_HOME is not set

    folder = Path(platformdirs.user_data_dir("bmn"))
    if not folder.is_absolute():
        raise Misconfigured(
            "BMN_HOME is not set, and this user has no home of its own.",
            hint="Name a folder that it may write in BMN_HOME.",
        )
    return folder


def where_set() -> dict[str, dict[str, str]]:
    """What is set, by the place where it stands: `environment`, then `.env`."""
    environment = {name.upper(): value for name, value in sorted(os.environ.items(), reverse=True)}
    environment |= {name: value for name, value in os.environ.items() if name.isupper()}
    return {"environment": environment, ".env": {} if in_production() else read_env_file(ENV_FILE)}


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file, in capitals; none where there is no file.

    Raises Misconfigured for a file that cannot be read, and for a line that names a setting and is no assignment.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if (path / "pyvenv.cfg").exists():  # a virtual environment of that name
            return {}
        raise Misconfigured(
            f"{path} cannot be read: {error.strerror}", hint="Make it readable, or remove it."
        ) from None
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
        if "\0" in text:
            raise ValueError
    except ValueError:
        raise Misconfigured(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    for line, words in _unreadable(text):
        raise Misconfigured(
            f"{path}, line {line}: {words} cannot be read.",
            hint="Write NAME=value; a value with quotes in ends with them.",
        )
    values = DotEnv(dotenv_path=None, stream=io.StringIO(text), verbose=False).dict()
    return {name.upper(): value for name, value in values.items() if value is not None}


def _unreadable(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are no assignment though they begin like one: number, and the first word. Others are not ours to judge."""
    for binding in parse_stream(io.StringIO(text)):
        words = binding.original.string.split()
        first = words[1] if words[:1] == ["export"] and len(words) > 1 else words[0] if words else ""
        name = first.partition("=")[0].partition(":")[0]
        if binding.error and name.isupper():
            yield binding.original.line, name
