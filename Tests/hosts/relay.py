#!/usr/bin/env python3
"""A slow link for tests: forwards TCP connections with a delay and a rate in each direction.

    relay.py --delay 20 --rate 100 LISTEN_HOST:PORT=TARGET_HOST:PORT ...

Delay and jitter are milliseconds one way; the rate is Mbit/s, shared by all connections of a direction, as on a cable.
"""
import argparse
import asyncio
import random
import time


class Direction:
    """What all connections share one way: the cable is busy until `free`."""

    def __init__(self, delay, jitter, rate):
        self.delay, self.jitter, self.rate = delay, jitter, rate
        self.free = 0.0

    def arrival(self, count):
        now = time.monotonic()
        self.free = max(self.free, now) + count / self.rate
        return self.free + self.delay + random.uniform(-self.jitter, self.jitter)


async def pump(reader, writer, direction):
    """Reads as fast as the cable takes it, writes when it has arrived."""
    # As much as is under way: more waits with the sender, which so learns what the cable takes.
    queue = asyncio.Queue(maxsize=64)

    async def write():
        last = 0.0
        while True:
            data, at = await queue.get()
            if not data:
                break
            last = max(last, at)
            await asyncio.sleep(max(0.0, last - time.monotonic()))
            writer.write(data)
            await writer.drain()
        writer.close()

    task = asyncio.create_task(write())
    try:
        while data := await reader.read(16384):
            at = direction.arrival(len(data))
            await queue.put((data, at))
            # The sender may run ahead of the cable by as much as a socket's buffer.
            ahead = at - direction.delay - time.monotonic()
            if ahead > 0.05:
                await asyncio.sleep(ahead - 0.05)
    except (ConnectionError, asyncio.CancelledError):
        pass
    await queue.put((b"", 0.0))
    try:
        await task
    except ConnectionError:
        writer.close()


async def serve(pair, forth, back):
    listen, target = pair.split("=")
    host, port = target.rsplit(":", 1)

    async def connected(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer, forth), pump(far_reader, writer, back))

    host_here, port_here = listen.rsplit(":", 1)
    return await asyncio.start_server(connected, host_here.strip("[]"), int(port_here))


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--jitter", type=float, default=0)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("pairs", nargs="+")
    options = parser.parse_args()

    def direction():
        return Direction(options.delay / 1000, options.jitter / 1000, options.rate * 1e6 / 8)

    forth, back = direction(), direction()
    servers = [await serve(pair, forth, back) for pair in options.pairs]
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
