"""Who may hold a connection: so many in all, so many from one address, and none that takes nothing of what waits for it."""

import asyncio
import fcntl
import socket
import struct
import termios
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bmn.logs import get_logger
from bmn.server.edge.addresses import counted
from bmn.settings.web import Networks, in_networks

log = get_logger(__name__)

_LOOK_SECONDS = 5.0
_STALLED_SECONDS = 30.0
_LEAST_BYTES = 1_000  # taken between two looks, or it counts as nothing
_ACKNOWLEDGED = slice(120, 128)  # tcpi_bytes_acked in Linux' struct tcp_info
_WARN_SECONDS = 60.0


@dataclass(slots=True)
class _Connection:
    """address: whose it is counted as; empty for a proxy's. taken: what its client had taken at the last look."""

    address: str
    taken: int = 0
    since: float = 0.0


class Gate:
    """most: connections in all. most_each: of one address. proxies: whose addresses stand for many, and are not counted."""

    def __init__(self, most: int, most_each: int, proxies: Networks = ()) -> None:
        self.most = most
        self.most_each = most_each
        self._proxies = proxies
        self._open: dict[asyncio.BaseTransport, _Connection] = {}
        self._of_address: Counter[str] = Counter()
        self._warned = float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, transport: asyncio.BaseTransport) -> bool:
        """False where there is no room for it; then it is not counted either."""
        peer = transport.get_extra_info("peername")
        address = counted(str(peer[0])) if isinstance(peer, tuple) else ""
        if address and in_networks(address, self._proxies):
            address = ""
        if len(self._open) >= self.most or (address and self._of_address[address] >= self.most_each):
            self._warn(address)
            return False
        self._open[transport] = _Connection(address)
        self._of_address[address] += 1
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        connection = self._open.pop(transport, None)
        if connection is not None:
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]

    async def watch(self) -> None:
        """Ends connections whose client takes nothing, or next to nothing, of what has been written to it."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, _STALLED_SECONDS / 2))
            for transport, connection in list(self._open.items()):
                self._look(transport, connection, loop.time())

    def _look(self, transport: Any, connection: _Connection, now: float) -> None:
        waiting = transport.get_write_buffer_size()
        sock = transport.get_extra_info("socket")
        taken = _taken(sock, waiting)
        if (
            (not waiting and not _in_kernel(sock))
            or abs(taken - connection.taken) >= _LEAST_BYTES
            or not connection.since
        ):
            connection.since, connection.taken = now, taken
        elif now - connection.since >= _STALLED_SECONDS:
            log.info("a client reads nothing, disconnected", address=connection.address, waiting=waiting)
            _reset(sock)
            transport.abort()

    def _warn(self, address: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._warned >= _WARN_SECONDS:
            self._warned = now
            log.warning(
                "connections are refused; name your proxy in BMN_TRUSTED_PROXIES if this is it",
                address=address,
                of_address=self._of_address[address],
                in_all=len(self._open),
            )


def _in_kernel(sock: Any) -> int:
    """Bytes that were handed to the kernel and that the client's has not taken yet."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))[0])
    except OSError:
        return 0


def _taken(sock: Any, waiting: int) -> int:
    """A number that moves on as the client takes bytes: those it has acknowledged, where the system tells."""
    if hasattr(socket, "TCP_INFO"):
        try:
            return int.from_bytes(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)[_ACKNOWLEDGED], "little")
        except OSError:
            return 0
    return -waiting


def _reset(sock: Any) -> None:
    """What the client does not take is thrown away, and not kept by the kernel for minutes."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        return
