"""A raw server to talk to."""

from tests.providers.conftest import wire

__all__ = ["wire"]
