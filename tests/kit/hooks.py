"""Other people's webhooks at the wire: HTTP, and HTTPS under their own names behind the environment's proxy."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Hooked:
    """One POST. host: whom its sender meant to reach."""

    host: str
    path: str
    body: dict[str, Any]


@dataclass(slots=True)
class Hooks:
    """A receiver of webhooks and the proxy before it. head: what it answers. hangs: it takes everything and says nothing."""

    port: int
    context: ssl.SSLContext
    head: str = "HTTP/1.1 200 OK"
    hangs: bool = False
    tried: int = 0
    taken: list[Hooked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is reached without TLS, and as a proxy."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readuntil(b"\r\n\r\n")
            if first.startswith(b"CONNECT "):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.drain()
                await writer.start_tls(self.context)
                first = await reader.readuntil(b"\r\n\r\n")
            await self._take(first.decode(), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _take(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        self.tried += 1
        if self.hangs:
            await reader.read()
            return
        if " 200 " in self.head:
            self.taken.append(Hooked(fields["host"], head.split(" ")[1], json.loads(body)))
        writer.write(f"{self.head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def hooks(folder: Path, *names: str) -> AsyncIterator[Hooks]:
    """A receiver that stands for these hosts. folder: gets `hooks.pem`, the certificate that its caller has to trust."""
    pem = certificate(folder / "hooks.pem", *names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    made = Hooks(0, context)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def certificate(path: Path, *names: str) -> Path:
    """A key and a certificate of its own for these hosts, in one file."""
    path.parent.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names or ("localhost",)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path
