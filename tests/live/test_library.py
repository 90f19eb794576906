"""What we stand on inside the two libraries, below their documented surface. An upgrade that changes it has to be looked
at: does recovery still hold? Then the digest here is renewed."""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import engineio
import pytest
import socketio.packet
from engineio.async_drivers.asgi import WebSocket
from engineio.async_socket import AsyncSocket
from engineio.base_server import BaseServer
from engineio.packet import Packet as TransportPacket
from engineio.payload import Payload

RELIED_ON: dict[str, tuple[Callable[..., Any], str]] = {
    "a line of ours is each socket's queue": (engineio.AsyncServer.create_queue, "5ff5673a0c017681"),
    "id and scope are told before anything is read": (
        engineio.AsyncServer._handle_connect,
        "5bd7edc1d1ae115a",
    ),
    "a handler's fault is logged and ends nothing": (engineio.AsyncServer._trigger_event, "4a09b6e47eb66532"),
    "a closed socket is not found": (BaseServer._get_socket, "ae2f99e66d632944"),
    "ids are not guessed": (BaseServer.generate_id, "b6a591454237c0bb"),
    "None in the queue ends the writer": (AsyncSocket.poll, "826f58a9f3606db2"),
    "closing tells us once": (AsyncSocket.close, "faa2e93902543244"),
    "the writer is the queue's only reader": (AsyncSocket._websocket_handler, "27f120df4d717a24"),
    "polls are answered with nothing while a WebSocket takes over": (
        AsyncSocket.handle_get_request,
        "05eaae9f0a60d9be",
    ),
    "its handler alone says that one takes over": (AsyncSocket._upgrade_websocket, "820b83efe96adb98"),
    "a WebSocket is three functions": (WebSocket, "ce9c81653992cd62"),
    "messages are handed over one by one": (AsyncSocket.receive, "a91ae36ec2fb5340"),
    "a packet is encoded once for all": (TransportPacket.encode, "8f3d5d869711cbb8"),
    "a payload has a cap": (Payload.decode, "9c7975664d815d3d"),
    "a packet is decoded whole or not at all": (socketio.packet.Packet.decode, "61ad7904b539f472"),
    "attachments are counted": (socketio.packet.Packet.add_attachment, "01e024038f3d99f5"),
}


@pytest.mark.parametrize("what", RELIED_ON)
def test_the_libraries_are_the_ones_we_know(what: str) -> None:
    function, digest = RELIED_ON[what]
    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16] == digest, function.__qualname__
