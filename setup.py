"""Packs redis.conf, which stands at the top of the repository, into the package; all else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithRedisConf(build_py):
    """An editable install reads the file where it stands; see `bmn/broker/embedded.py`."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("redis.conf", str(Path(self.build_lib, "bmn", "broker")))

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), "redis.conf"]


setup(cmdclass={"build_py": BuildWithRedisConf})
