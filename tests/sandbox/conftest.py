"""A sandbox on a real port, at speed 0, one for each test."""

from tests.kit.sandbox import own_sandbox

__all__ = ["own_sandbox"]
