"""Variables of other programs that the vendors' libraries would read by themselves, beside or against our settings."""

import os

from bmn.settings.environment import variables
from bmn.settings.model import Settings

# An organization, a proxy's headers, a session's token, an unsigned request: each is somebody else's, and each is sent.
_PREFIXES = ("ANTHROPIC_", "AWS_", "GEMINI_", "GOOGLE_", "OPENAI_")


def drop_foreign() -> None:
    """Removes them from the environment of this process and its children. Only for processes that are ours alone."""
    ours = {variable for name, field in Settings.model_fields.items() for variable in variables(field, name)}
    for name in [name for name in os.environ if name.upper().startswith(_PREFIXES) and name.upper() not in ours]:
        del os.environ[name]
