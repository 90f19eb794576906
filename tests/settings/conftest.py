"""A raw server to talk to."""

from tests.kit.wire import wire

__all__ = ["wire"]
