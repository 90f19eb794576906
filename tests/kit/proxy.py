"""A TCP proxy with faults, in front of Redis, PostgreSQL or a server: it delays, drips, cuts, or swallows what comes."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from tests.kit.processes import PATIENCE


class Proxy:
    """target: a unix socket's path, or (host, port). Faults are set from any thread and hold for all connections."""

    def __init__(self, target: str | tuple[str, int]) -> None:
        self._target = target
        self._delay = 0.0
        self._silent = False
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._do(self._start)

    def _do(self, what: Callable[[], Awaitable[int]]) -> int:
        async def call() -> int:
            return await what()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(PATIENCE)

    async def _start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def lead_to(self, target: str | tuple[str, int]) -> None:
        """Where connections go that come from now on."""
        self._target = target

    # --- faults ----------------------------------------------------------------------------------------------------

    def slow(self, seconds: float) -> None:
        """Each piece of data takes this long, in either direction."""
        self._delay = seconds

    def cut(self) -> None:
        """Every connection is reset, and new ones too, until `mend`."""
        self._refusing = True
        self._do(self._reset)

    def silence(self) -> None:
        """Half-open: connections stay, nothing arrives any more."""
        self._silent = True

    def mend(self) -> None:
        """As if nothing had been. Connections that were half-open are reset, as a kernel would in the end."""
        was_silent, self._silent, self._refusing, self._delay = self._silent, False, False, 0.0
        if was_silent:
            self._do(self._reset)

    async def _reset(self) -> int:
        for writer in list(self._writers):
            with contextlib.suppress(OSError, RuntimeError):
                writer.transport.abort()
        return 0

    # --- carrying --------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            if isinstance(self._target, str):
                there = await asyncio.open_unix_connection(self._target)
            else:
                there = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there[1]}
        self._writers |= both
        carrying = [
            asyncio.create_task(self._carry(reader, there[1])),
            asyncio.create_task(self._carry(there[0], writer)),
        ]
        await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        for task in carrying:
            task.cancel()
        self._writers -= both
        for end in both:
            end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while data := await source.read(65536):
                if self._delay:
                    await asyncio.sleep(self._delay)
                if self._silent:
                    continue
                target.write(data)
                await target.drain()

    def close(self) -> None:
        async def end() -> int:
            self._server.close()
            return await self._reset()

        self._do(end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
