"""Jobs of every queue, an attempt at a time, and the sandbox as provider."""

from tests.kit.bench import bench
from tests.kit.sandbox import shared_sandbox

__all__ = ["bench", "shared_sandbox"]
