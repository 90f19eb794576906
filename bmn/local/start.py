"""What `bmn serve` and `bmn worker` look at before they start a process: settings, and the files these lead to."""

from bmn.identity.development import development_secret, issues_tokens
from bmn.identity.home_secrets import check_home_secrets
from bmn.providers.prices import load_prices
from bmn.settings import Settings, check_start
from bmn.settings.foreign import drop_foreign
from bmn.signing import signing_secret


def check_before_start(settings: Settings, *, server: bool = True) -> list[str]:
    """Warnings, each a sentence. Makes the secrets where this is the first time, and drops what only confuses libraries.

    server: whether tokens are verified. Raises Misconfigured, with the setting or the file, where nothing may start.
    """
    drop_foreign()
    warnings = check_start(settings)
    load_prices(settings.price_table)
    signing_secret(settings)
    if server and issues_tokens(settings):
        development_secret(settings)
    return warnings


def check_files(settings: Settings) -> None:
    """Reads the prices and the secrets that are there already. Raises Misconfigured."""
    load_prices(settings.price_table)
    check_home_secrets(settings)
