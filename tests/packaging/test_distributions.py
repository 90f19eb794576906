"""What the distributions of this repository hold, and what pins them."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.installations import ROOT, Distributions

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


def _sources(package: str) -> set[str]:
    """The files of a package of this tree, caches and what only a build reads left out."""
    paths = (path for path in (ROOT / package).rglob("*") if path.is_file() and path.name != "pyproject.toml")
    return {
        str(path.relative_to(ROOT))
        for path in paths
        if not any(part == "__pycache__" or part.endswith(".egg-info") or part == "build" for part in path.parts)
    }


def _packed(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_bmn_whole_with_its_redis_conf_and_no_sandbox(distributions: Distributions) -> None:
    assert _packed(distributions.wheel) == _sources("bmn") | {"bmn/broker/redis.conf"}
    with zipfile.ZipFile(distributions.wheel) as archive:
        assert archive.read("bmn/broker/redis.conf") == (ROOT / "redis.conf").read_bytes()


def test_the_wheel_of_the_sandbox_holds_it_whole_and_nothing_of_bmn(distributions: Distributions) -> None:
    assert _packed(distributions.sandbox) == _sources("bmn_sandbox")


def test_the_source_distribution_has_redis_conf_where_the_repository_has_it(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        top = distributions.sdist.name.removesuffix(".tar.gz")
        packed = archive.extractfile(f"{top}/redis.conf")
        assert packed is not None
        assert packed.read() == (ROOT / "redis.conf").read_bytes()
        assert not any("bmn_sandbox" in name for name in archive.getnames())


def test_pins_are_names_and_versions_and_stand_in_one_file_each() -> None:
    seen: set[str] = set()
    for file in sorted(ROOT.glob("requirements*.txt")):
        for line in file.read_text().splitlines():
            name, _, version = line.partition("==")
            assert name and version and not set(line) & set(" /@;"), f"{file.name}: {line}"
            assert name not in seen, f"{file.name}: {name} is pinned elsewhere, too"
            seen.add(name)
