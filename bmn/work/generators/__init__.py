"""One module a generator, named as its schema in `bmn.schemas.generators`: its `GENERATOR`, and `run`, which does it."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from bmn.schemas.generators import KINDS
from bmn.work.generator import Generator


def _of(name: str) -> Generator:
    generator: Generator = import_module(f"{__name__}.{name}").GENERATOR
    return generator


GENERATORS: Mapping[str, Generator] = MappingProxyType({kind.queue: _of(name) for name, kind in KINDS.items()})
"""Every generator, by its queue."""
