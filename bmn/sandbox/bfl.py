"""Black Forest Labs: submit, poll, fetch."""

from typing import Any

from starlette.routing import Route

from bmn.sandbox.state import Sandbox

PROVIDER = "bfl"


def error_body(status: int) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    return {"detail": f"Error {status}"}


def routes(sandbox: Sandbox) -> list[Route]:
    return []
