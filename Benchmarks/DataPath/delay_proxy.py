"""A TCP proxy on loopback that holds every byte back for half a round trip, each way.

It stands in for a far server where the kernel has no netem: bytes are late, the rate is not cut.
"""
import asyncio
import collections
import time

# Bytes in flight per direction; more than any line's rate times its round trip here.
MOST_IN_FLIGHT = 64 << 20


async def pump(reader, writer, delay):
    queue = collections.deque()
    arrived = asyncio.Event()
    room = asyncio.Event()
    room.set()
    held = 0

    async def take():
        nonlocal held
        while True:
            try:
                data = await reader.read(1 << 18)
            except OSError:
                data = b""
            queue.append((time.monotonic() + delay, data))
            held += len(data)
            arrived.set()
            if not data:
                return
            if held > MOST_IN_FLIGHT:
                room.clear()
                await room.wait()

    taking = asyncio.create_task(take())
    try:
        while True:
            while not queue:
                arrived.clear()
                await arrived.wait()
            due, data = queue.popleft()
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            held -= len(data)
            room.set()
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        taking.cancel()
        writer.close()


async def serve(port, target, round_trip):
    async def connected(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target, limit=1 << 22)
        except OSError:
            writer.close()
            return
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(6, 1, 1)
        await asyncio.gather(
            pump(reader, far_writer, round_trip / 2), pump(far_reader, writer, round_trip / 2)
        )

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=1 << 22)
    async with server:
        await server.serve_forever()


def main(port, target, round_trip):
    asyncio.run(serve(port, target, round_trip))
