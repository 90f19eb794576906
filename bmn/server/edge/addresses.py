"""Whom an address counts as, wherever connections, sockets, refusals or guesses are counted by it."""

import socket

from starlette.types import Scope

from bmn.server.edge.asgi import address_of


def counted(address: str) -> str:
    """One name for each caller: whoever has an IPv6 address has 2^64 of them."""
    if ":" not in address:
        return address
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except OSError:  # whatever a proxy has called it
        return address
    if packed[:12] == bytes(10) + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8))


def counted_of(scope: Scope) -> str:
    """The same of whoever began a request or a WebSocket; empty where that is not known."""
    return counted(address_of(scope))
