"""What belongs to others is shown to who says why: each route that reveals has a command with `--reveal`."""

import pytest
from fastapi.routing import APIRoute
from typer.core import TyperGroup

from bmn.cli.app import root
from bmn.cli.base import BaseCommand, Context
from bmn.server.routes import (
    admin_routes,
    alert_routes,
    brand_routes,
    bulk_routes,
    event_routes,
    file_routes,
    fleet_routes,
    job_event_routes,
    job_routes,
    key_routes,
    kit_routes,
    record_routes,
)

# Commands that read by each route; none where the operators' pages show it, in pictures or as it happens.
_COMMANDS: dict[str, tuple[str, ...]] = {
    "GET /jobs": ("jobs list", "jobs count", "jobs export"),
    "GET /jobs/groups": ("jobs list",),
    "GET /jobs/{job_id}": ("jobs show",),
    "GET /jobs/{job_id}/why": ("jobs why",),
    "GET /jobs/{job_id}/logs": ("jobs logs",),
    "GET /jobs/{job_id}/events": (),
    "GET /events": (),
    "GET /admin/dlq": ("jobs dlq list",),
    "POST /admin/dlq/replay": ("jobs dlq replay",),
    "POST /admin/dlq/purge": ("jobs dlq purge",),
    "POST /admin/bulk": ("jobs retry", "jobs cancel"),
    "POST /admin/bulk-estimate": ("jobs retry", "jobs cancel"),
    "GET /admin/bulk": ("bulk list",),
    "GET /admin/bulk/{bulk_id}": ("bulk watch",),
    "GET /admin/audit": ("audit",),
    "GET /brands/{brand_id}": ("brands show",),
    "GET /brands/{brand_id}/assets": ("brands show",),
    "GET /assets/{asset_id}": (),
    "GET /files/{key:path}": (),
    "GET /kits/{kit_id}": ("kits show",),
}
_ROUTERS = (
    admin_routes,
    alert_routes,
    brand_routes,
    bulk_routes,
    event_routes,
    file_routes,
    fleet_routes,
    job_event_routes,
    job_routes,
    key_routes,
    kit_routes,
    record_routes,
)
# One's own actions show one's own words, which takes no reason.
_OWN = ("POST /bulk", "POST /bulk-estimate", "GET /bulk", "GET /bulk/{bulk_id}")


def _command(words: str) -> BaseCommand:
    found: BaseCommand = root
    for word in words.split():
        assert isinstance(found, TyperGroup)
        with Context(found) as context:
            child = found.get_command(context, word)
        assert child is not None, words
        found = child
    return found


def _takes_reveal(route: APIRoute) -> bool:
    flat = [*route.dependant.query_params, *(one for each in route.dependant.dependencies for one in each.query_params)]
    return "reveal" in {each.name for each in flat}


def test_each_route_that_reveals_is_in_the_table() -> None:
    found = {
        f"{method} {route.path.removeprefix('/api/v1')}"
        for module in _ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute) and _takes_reveal(route)
        for method in route.methods
    }
    assert found - {*_OWN} == _COMMANDS.keys()


@pytest.mark.parametrize("words", sorted({words for each in _COMMANDS.values() for words in each}))
def test_the_command_takes_the_reason(words: str) -> None:
    assert "--reveal" in {option for each in _command(words).params for option in each.opts}
