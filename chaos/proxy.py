"""A TCP proxy between Airflow's processes and the store: a network that can be made bad."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from airflow_environment import free_port

if TYPE_CHECKING:
    from typing_extensions import Self

_CHUNK: Final = 65536
_POLL_SECONDS: Final = 0.05


class Proxy:
    """Passes bytes on, late or not at all.

    Args:
        target: Port of the loopback interface to pass them on to.

    Attributes:
        port: Where it listens.
        delay: Seconds by which each piece of data is late, in both directions.
        silent: Whether nothing is passed on, and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.delay = 0.0
        self.silent = False
        self._target = target
        self._is_cut = False
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        """Close all connections."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """End all connections at once, and each new one as it comes."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._abort_all)

    def mend(self) -> None:
        """Pass everything on at once again."""
        self._is_cut, self.silent, self.delay = False, False, 0.0

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port)
        )
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(_POLL_SECONDS))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._is_cut:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        except (OSError, asyncio.CancelledError):
            pass  # a side is gone: so is the other
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                await asyncio.sleep(self.delay)
                while self.silent:  # noqa: ASYNC110 - another thread says when it is over
                    await asyncio.sleep(_POLL_SECONDS)
                writer.write(data)
                await writer.drain()
        finally:
            with suppress(OSError):
                writer.close()
            self._writers.discard(writer)

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
