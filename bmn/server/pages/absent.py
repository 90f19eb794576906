"""What a browser reads at an address where nothing is: a page, as everywhere else that people look."""

from fastapi import Request, Response

from bmn.server.edge.error_handlers import refused
from bmn.server.pages.rendering import unsigned

_OF_PROGRAMS = ("/api/", "/socket.io/", "/files/", "/health", "/metrics")


async def absent(request: Request, error: Exception) -> Response:
    """404 as a page for who asks for one, as JSON for everybody else."""
    path = request.url.path
    if "text/html" not in request.headers.get("accept", "") or path.startswith(_OF_PROGRAMS):
        return await refused(request, error)
    return nothing_here(request)


def nothing_here(request: Request, hint: str | None = None) -> Response:
    """The page itself. hint: where to look instead."""
    settings = request.app.state.resources.settings
    return unsigned(settings, "problem.html", 404, number=404, message="There is nothing here.", hint=hint)
