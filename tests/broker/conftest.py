from tests.kit.api import start

__all__ = ["start"]
