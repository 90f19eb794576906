"""The settings: read once, by their own types, and the same for every program of ours."""

from bmn.settings.load import load_settings, origin_of, variable_of
from bmn.settings.model import DEV_USER_EMAIL, DEV_USER_ID, GROUPS, PROVIDERS, SANDBOX_KEY, ProviderAccess, Settings
from bmn.settings.production import production_problems
from bmn.settings.start_checks import check_start

__all__ = [
    "DEV_USER_EMAIL",
    "DEV_USER_ID",
    "GROUPS",
    "PROVIDERS",
    "SANDBOX_KEY",
    "ProviderAccess",
    "Settings",
    "check_start",
    "load_settings",
    "origin_of",
    "production_problems",
    "variable_of",
]
