"""Lines that can be cut: each leads from the recorder to the API server or to GitHub, and passes bytes on,
whatever they are. It can refuse new connections and reset those that are open, or stand still."""

import asyncio
import socket
import struct
import threading

CHUNK = 1 << 16
# A connection that is closed so is reset (socket(7): SO_LINGER with no time).
AT_ONCE = struct.pack("ii", 1, 0)


class Links:
    """All lines, in a thread of their own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True, name="links").start()

    def make(self, host: str, port: int) -> "Link":
        link = Link(self, host, port)
        self.run(link.listen())
        return link

    def run(self, task):
        return asyncio.run_coroutine_threadsafe(task, self.loop).result(20)


class Link:
    """A line to one place. Its own address stays the same."""

    def __init__(self, links: Links, host: str, port: int):
        self._links, self._there = links, (host, port)
        self._server: "asyncio.Server | None" = None
        self._open: "set[asyncio.StreamWriter]" = set()
        self._flows: "asyncio.Event | None" = None
        self.port = 0

    # What faults do, from any thread.

    def refuse(self) -> None:
        self._links.run(self._refuse())

    def reset(self) -> None:
        """Ends what is open; new connections are taken."""
        self._links.run(self._reset())

    def stall(self) -> None:
        self._links.run(self._set(False))

    def heal(self) -> None:
        self._links.run(self._heal())

    # What happens in the thread of the lines.

    async def listen(self) -> None:
        self._flows = self._flows or asyncio.Event()
        self._flows.set()
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, reuse_address=True, limit=CHUNK
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> None:
        for writer in list(self._open):
            taken = writer.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()

    async def _set(self, flows: bool) -> None:
        self._flows.set() if flows else self._flows.clear()

    async def _heal(self) -> None:
        if self._server is None:
            await self.listen()
        await self._set(True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        other = None
        try:
            await self._flows.wait()
            far, other = await asyncio.open_connection(*self._there, limit=CHUNK)
            self._open.add(other)
            ways = [self._pump(reader, other), self._pump(far, writer)]
            await asyncio.gather(*ways)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, other):
                if end is not None:
                    self._open.discard(end)
                    end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            if not self._flows.is_set():
                await self._flows.wait()
                # Who has gone meanwhile has no more to say: its last words do not come late.
                if source.at_eof() or source.exception():
                    raise ConnectionResetError
            sink.write(data)
            await sink.drain()
        sink.write_eof()
