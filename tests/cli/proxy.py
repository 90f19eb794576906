"""A TCP proxy in front of a real server, to break its connections: at the wire, where networks break them."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class HttpProxy:
    """port: where it listens. Its methods may be called from any thread.

    refusing: new connections are closed at once. hold_streams: a connection that asks for server-sent events is closed.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.refusing = False
        self.hold_streams = False
        self.accepted = 0
        self._target = target_port
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._carry, "127.0.0.1", 0), self._loop)
        self.port = serving.result(5).sockets[0].getsockname()[1]

    def cut(self) -> int:
        """Breaks every open connection; answers how many there were."""

        async def close() -> int:
            count = len(self._open)
            for writer in self._open:
                writer.transport.abort()
            return count

        return asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)

    def stop(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusing:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(self._pump(reader, there_writer, watch=True), self._pump(there_reader, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, watch: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if watch and self.hold_streams and b"text/event-stream" in data:
                    break
                sink.write(data)
                await sink.drain()
        sink.close()


@contextmanager
def proxy_before(api_url: str) -> Iterator[HttpProxy]:
    proxy = HttpProxy(int(api_url.rsplit(":", 1)[1]))
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
