"""The distributions built from this tree, and an environment that holds bmn and nothing else."""

import sys
from pathlib import Path

import pytest

from tests.packaging.installations import BMN_SOURCES, Distributions, Installation, copy_sources, dockerfile, install


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The source distribution of bmn, the wheel built from that, and the wheel of the sandbox."""
    folder = tmp_path_factory.mktemp("dist")
    bmn = copy_sources(folder / "source", *BMN_SOURCES)
    sandbox = copy_sources(folder / "source", "bmn_sandbox") / "bmn_sandbox"
    install(sys.executable, "-P", "-m", "build", "--outdir", folder, bmn, cwd=folder)
    install(sys.executable, "-P", "-m", "build", "--wheel", "--outdir", folder, sandbox, cwd=folder)
    (sdist,) = folder.glob("bmn-*.tar.gz")
    (wheel,) = folder.glob("bmn-*.whl")
    (sandbox_wheel,) = folder.glob("bmn_sandbox-*.whl")
    return Distributions(sdist, wheel, sandbox_wheel)


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment of the production image, made by the steps of the Dockerfile in a folder of its own."""
    folder = tmp_path_factory.mktemp("image")
    environment = folder / "opt" / "bmn"
    script = f"""set -eu
        python() {{ {sys.executable} "$@"; }}
        pip() {{ {sys.executable} -m pip "$@"; }}
        """
    for word, rest in dockerfile("build"):
        if word == "COPY":
            copy_sources(folder / "src", *rest.split()[:-1])
        if word == "RUN":  # only its own cache is kept
            step = rest.replace("/opt/bmn", str(environment)).replace("--no-cache-dir", "")
            install("sh", "-c", script + step, cwd=folder / "src")
        if word == "WORKDIR":
            (folder / "src").mkdir()
    return environment


@pytest.fixture
def installed(production: Path, tmp_path: Path) -> Installation:
    return Installation(production / "bin" / "bmn", tmp_path)
