"""The sandbox of a developer's machine is no toy for the web pages that the same machine looks at."""

import httpx
import pytest

from tests.kit.sandbox import SandboxControl, shared_sandbox

__all__ = ["shared_sandbox"]

RULE = b'{"provider": "*", "status": 500}'
PAGES = [
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "rebound.evil.example:3900"},  # a name that was made to point here
]


@pytest.mark.parametrize("headers", PAGES, ids=["origin", "fetch", "rebinding"])
def test_another_sites_page_neither_reads_nor_controls_it(sandbox: SandboxControl, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False) as page:
        for path in ("", "mails", "ledger", "requests"):
            assert page.get(f"/_sandbox/{path}").status_code == 403
        plain = {"Content-Type": "text/plain"}  # what a form may send without asking
        assert page.post("/_sandbox/faults", content=RULE, headers=plain).status_code == 403
    assert httpx.get(f"{sandbox.url}/_sandbox/faults", trust_env=False).json() == []
