"""A relay in front of a server, which a test can tell to hold back what the browser sends."""

import asyncio
import threading
from urllib.parse import urlsplit


class Relay:
    """While it is held, nothing reaches the server; a browser that hangs up takes along what it had sent."""

    def __init__(self, server):
        self.server = server
        self.loop = asyncio.new_event_loop()
        self.open = asyncio.Event()
        self.open.set()
        self.dropped = 0  # connections that the browser closed while the relay held what it had sent
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.listener = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self.connect, "127.0.0.1", 0), self.loop).result()
        self.address = f"http://127.0.0.1:{self.listener.sockets[0].getsockname()[1]}"

    def hold(self):
        self.loop.call_soon_threadsafe(self.open.clear)

    def release(self):
        self.loop.call_soon_threadsafe(self.open.set)

    def stop(self):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def end(self):
        self.listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def connect(self, reader, writer):
        upstream = await asyncio.open_connection(urlsplit(self.server.address).hostname, urlsplit(self.server.address).port)
        answers = asyncio.create_task(self.copy(upstream[0], writer))
        sent = asyncio.Queue()
        requests = asyncio.create_task(self.deliver(sent, upstream[1]))
        received = False
        try:
            while data := await reader.read(65536):
                sent.put_nowait(data)
                received |= not self.open.is_set()
        except ConnectionError:
            pass
        requests.cancel()
        self.dropped += received and not self.open.is_set()
        upstream[1].close()
        await asyncio.gather(answers, requests, return_exceptions=True)

    async def deliver(self, sent, writer):
        while True:
            data = await sent.get()
            await self.open.wait()
            writer.write(data)
            await writer.drain()

    async def copy(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
