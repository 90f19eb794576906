"""What `bmn serve` and `bmn worker` look at before they start a process: settings, and the files these lead to."""

import resource
from contextlib import suppress

from bmn.errors import Misconfigured, suggest
from bmn.identity.development import development_secret, issues_tokens
from bmn.identity.home_secrets import check_home_secrets
from bmn.providers.prices import load_prices
from bmn.settings import PROVIDERS, Settings, check_start
from bmn.settings.budget_setting import USER
from bmn.settings.foreign import drop_foreign
from bmn.signing import signing_secret
from bmn.work.queue_names import QUEUE_NAMES

_TOO_FEW_FILES, _FEW_FILES, _ENOUGH_FILES = 128, 512, 65_536


def check_before_start(settings: Settings, *, server: bool = True) -> list[str]:
    """Warnings, each a sentence. Makes the secrets where this is the first time, and drops what only confuses libraries.

    server: whether tokens are verified. Raises Misconfigured, with the setting or the file, where nothing may start.
    """
    drop_foreign()
    warnings = [*check_start(settings), *_raise_descriptors()]
    load_prices(settings.price_table)
    _check_budgets(settings)
    _check_providers(settings)
    _check_archive(settings)
    signing_secret(settings)
    if server and issues_tokens(settings):
        development_secret(settings)
    return warnings


def _raise_descriptors() -> list[str]:
    """Takes as many open files as this user may have. Raises Misconfigured where nothing can work with so few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # some systems name a limit that they do not give
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    if soft == resource.RLIM_INFINITY or soft >= _FEW_FILES:
        return []
    if soft < _TOO_FEW_FILES:
        raise Misconfigured(
            f"A process may have {soft} files and connections open here, and needs {_FEW_FILES}.",
            hint="Raise the limit: `ulimit -Hn`, LimitNOFILE of the service, or `nofile` of the container.",
        )
    return [f"A process may have only {soft} files and connections open here; `ulimit -n {_FEW_FILES}` raises that."]


def _check_budgets(settings: Settings) -> None:
    """Raises Misconfigured for a budget of a queue that there is not."""
    names = {budget.of for budget in settings.bmn_budgets}
    if odd := sorted(names - {USER, *QUEUE_NAMES}):
        raise Misconfigured(
            f"BMN_BUDGETS names {odd[0]}, which is no queue.", hint=suggest(odd[0], "Queues", (USER, *QUEUE_NAMES))
        )


def _check_providers(settings: Settings) -> None:
    """Raises Misconfigured for an order of a queue or a provider that there is not, or of one without a key.

    The sandbox stands in for all of an order or for none: its drawings are no second choice to what a vendor paints.
    """
    if not settings.bmn_providers:
        return
    from bmn.work.registry import QUEUES

    missing = settings.missing_providers()
    by_choice = {name: queue for name, queue in QUEUES.items() if len(queue.providers) > 1}
    for order in settings.bmn_providers:
        if order.queue not in by_choice:
            raise Misconfigured(
                f"BMN_PROVIDERS names {order.queue}, which is no queue with several providers.",
                hint=suggest(order.queue, "Queues", by_choice),
            )
        able = by_choice[order.queue].providers
        for name in order.providers:
            if name not in able:
                raise Misconfigured(
                    f"BMN_PROVIDERS names {name} for {order.queue}, and it cannot do that.",
                    hint=suggest(name, "Providers", able),
                )
        keyless = [name for name in order.providers if name in missing]
        if keyless and (settings.is_production or len(keyless) < len(order.providers)):
            raise Misconfigured(
                f"BMN_PROVIDERS names {keyless[0]} for {order.queue}, and it has no key.",
                hint=f"Set {PROVIDERS[keyless[0]].key_field.upper()}, or take {keyless[0]} out of BMN_PROVIDERS.",
            )


def _check_archive(settings: Settings) -> None:
    """Raises Misconfigured for one that anybody could read, or that has no store."""
    if settings.bmn_archive_days:
        from bmn.work.archive.archive_files import open_archive

        open_archive(settings)


def check_files(settings: Settings) -> None:
    """Reads the prices, the order of providers, and the secrets that are there already. Raises Misconfigured."""
    load_prices(settings.price_table)
    _check_providers(settings)
    check_home_secrets(settings)
