"""The engine in one process, and the sandbox as provider."""

from tests.kit.engine import engine, settings, with_sandbox
from tests.kit.sandbox import own_sandbox

__all__ = ["engine", "own_sandbox", "settings", "with_sandbox"]
