"""The provider sandbox: the one place that imports it, and what to do where it is not installed.

It is a package of its own that production never has, so everything but running it works without.
"""

import importlib.util
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from bmn.errors import Misconfigured
from bmn.lifeline import end_when_told
from bmn.local.readiness import call_when_it_answers
from bmn.settings import PROVIDERS, Settings

_PACKAGE = "bmn_sandbox"


def sandbox_is_installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec(_PACKAGE) is not None


def install_command() -> str:
    """What one types to install the sandbox beside this very bmn: from the checkout where it runs from one."""
    checkout = Path(__file__).parents[2] / _PACKAGE
    return f"{sys.executable} -m pip install {checkout if checkout.is_dir() else f'./{_PACKAGE}'}"


def require_sandbox(missing: Iterable[str] = ()) -> None:
    """Raises Misconfigured where the sandbox is not installed. missing: the providers that it would stand in for."""
    if sandbox_is_installed():
        return
    names = list(missing)
    need = f"No key for {', '.join(names)}, and the" if names else "The"
    keys = f", or set {', '.join(PROVIDERS[name].key_field.upper() for name in names)}" if names else ""
    raise Misconfigured(
        f"{need} sandbox is not installed.", hint=f"Install it from the repository of bmn: {install_command()}{keys}"
    )


def run_sandbox(settings: Settings, listener: socket.socket, speed: float, ready: Callable[[], None]) -> None:
    """Serves the sandbox on a bound socket until SIGTERM or SIGINT. ready: called when it answers."""
    import uvicorn

    from bmn_sandbox.app import create_app

    app = create_app(settings.bmn_home / "sandbox", speed=speed)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
        workers=1,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    end_when_told(server.handle_exit)
    call_when_it_answers(listener, "/_sandbox/health", ready)
    server.run([listener])
