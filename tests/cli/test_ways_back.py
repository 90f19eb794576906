"""A server on any address of this machine is found again by the command line, which has a token for it."""

import json
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from tests.kit.processes import PATIENCE
from tests.kit.terminal import BMN, bmn, environment


def _own_addresses() -> list[str]:
    found = [each.address for card in psutil.net_if_addrs().values() for each in card if each.family.name == "AF_INET"]
    return [address for address in found if not address.startswith("127.")][:1]


@pytest.mark.full
@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "0.0.0.0", "localhost", *_own_addresses()])
def test_it_is_found_and_signed_in_to(home: Path, host: str) -> None:
    process = subprocess.Popen(
        [BMN, "serve", "--json", "--host", host, "--port", "0", "--no-workers"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment({"BMN_HOME": str(home)}),
    )
    env = {"BMN_HOME": str(home)}
    try:
        assert process.stdout
        where = json.loads(process.stdout.readline())["apiUrl"]
        opened = bmn("open", "--print", "--json", env=env)
        assert opened.code == 0, opened.err
        link = json.loads(opened.out)["url"]
        assert link.startswith(f"{where}/")
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            page = browser.get(link)
            assert page.status_code == 200 and "Sign out" in page.text
        shown = bmn("credits", "show", "--json", env=env)
        assert shown.code == 0, shown.err
        checks = {check["name"]: check for check in json.loads(bmn("doctor", "--json", env=env).out)["checks"]}
        assert checks["Server"]["state"] == "ok" and "Sign-in" not in checks
    finally:
        process.terminate()
        process.wait(PATIENCE)
