"""A server on any address of this machine is found again by the command line, which has a token for it."""

import json
from pathlib import Path

import httpx
import psutil
import pytest

from tests.kit.stack import start
from tests.kit.terminal import forked


def _own_addresses() -> list[str]:
    found = [each.address for card in psutil.net_if_addrs().values() for each in card if each.family.name == "AF_INET"]
    return [address for address in found if not address.startswith("127.")][:1]


@pytest.mark.full
@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "0.0.0.0", "localhost", *_own_addresses()])
def test_it_is_found_and_signed_in_to(home: Path, host: str) -> None:
    stack = start(home, "--host", host, "--port", "0", "--no-workers")
    where, env = stack.api_url, stack.env
    try:
        opened = forked("open", "--print", "--json", env=env)
        assert opened.code == 0, opened.err
        link = json.loads(opened.out)["url"]
        assert link.startswith(f"{where}/")
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            page = browser.get(link)
            assert page.status_code == 200 and "Sign out" in page.text
        shown = forked("credits", "show", "--json", env=env)
        assert shown.code == 0, shown.err
        checks = {check["name"]: check for check in json.loads(forked("doctor", "--json", env=env).out)["checks"]}
        assert checks["Server"]["state"] == "ok" and "Sign-in" not in checks
    finally:
        stack.stop()
