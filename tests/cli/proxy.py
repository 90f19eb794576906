"""A TCP proxy in front of a real server, to break its connections: at the wire, where networks break them."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Pass = Callable[[bytes], bytes | None]
"""What is passed on of some data; None ends the connection."""


class HttpProxy:
    """port: where it listens. Its methods may be called from any thread.

    refusing: new connections are closed at once. hold_streams: a connection that asks for server-sent events is closed.
    mute_streams: of such a connection nothing comes back but the head of its answer. silent: nothing passes any more.
    alive: how many of their comments have passed. most_streams: how many were open at once.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.refusing = False
        self.hold_streams = self.mute_streams = self.silent = False
        self.alive = 0
        self.most_streams = 0
        self._streams = 0
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
            streams = asyncio.Event()
            try:
                await asyncio.gather(
                    self._pump(reader, there_writer, self._asked(streams)),
                    self._pump(there_reader, writer, self._answered(streams)),
                )
            finally:
                self._streams -= streams.is_set()
        except OSError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    def _asked(self, streams: asyncio.Event) -> Pass:
        def look(data: bytes) -> bytes | None:
            if b"text/event-stream" in data:
                self._streams += not streams.is_set()
                self.most_streams = max(self.most_streams, self._streams)
                streams.set()
                return None if self.hold_streams else data
            return data

        return look

    def _answered(self, streams: asyncio.Event) -> Pass:
        def look(data: bytes) -> bytes | None:
            self.alive += data.count(b": alive")
            mute = self.mute_streams and streams.is_set()
            if not mute:
                return data
            head, end, _ = data.partition(b"\r\n\r\n")
            return head + end if data.startswith(b"HTTP/") else b""

        return look

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, look: Pass) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                passes = look(data)
                if passes is None:
                    break
                if passes and not self.silent:
                    sink.write(passes)
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
