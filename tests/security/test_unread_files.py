"""Who asks for a large file and does not read it holds a small part of it in our memory, not the whole."""

import socket
from pathlib import Path
from uuid import uuid4

import httpx

from tests.kit.processes import PATIENCE
from tests.security.target import Target

SIZE, READERS = 24_000_000, 12


def _resident() -> int:
    """Bytes of memory of this process, which the server runs in."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_files_that_nobody_reads_do_not_fill_the_memory(target: Target) -> None:
    core, brand = target.app.resources.core, str(uuid4())
    key = f"brands/{brand}/video/{uuid4().hex}.mp4"
    film = b"\0\0\0\x18ftypmp42" + bytes(SIZE)
    target.wait(core.storage.put(key, film, "video/mp4"))
    address = httpx.URL(target.app.resources.signer.signed(core.storage.url_for(key)))
    with httpx.Client(trust_env=False) as client:
        whole = client.get(address)
        assert whole.content == film and whole.headers["content-length"] == str(len(film))
        middle = client.get(address, headers={"Range": "bytes=600000-1700000"})
        assert (middle.status_code, middle.content) == (206, film[600_000:1_700_001])
        del whole, middle
    before = _resident()
    asked = f"GET {address.raw_path.decode()} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    clients = [socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) for _ in range(READERS)]
    try:
        for client in clients:
            client.sendall(asked)
        for client in clients:
            assert client.recv(15) == b"HTTP/1.1 200 OK"
        assert httpx.get(f"{target.url}/health/live", trust_env=False).status_code == 200
        assert _resident() - before < READERS * SIZE / 3
    finally:
        for client in clients:
            client.close()
