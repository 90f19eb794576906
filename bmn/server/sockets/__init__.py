"""The live half of the server: Socket.IO to the letter, with connection-state recovery."""

from bmn.server.sockets.app import MESSAGE_BYTES, SOCKET_PATH, Sockets, create_socket_app

__all__ = ["MESSAGE_BYTES", "SOCKET_PATH", "Sockets", "create_socket_app"]
