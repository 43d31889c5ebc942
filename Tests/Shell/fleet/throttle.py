"""Passes connections on, so many bytes a second towards whoever has called, and counts these bytes in a file.

throttle.py FROM_PORT TO_PORT BYTES_A_SECOND FILE
"""

import asyncio
import sys

HERE, THERE, RATE = (int(argument) for argument in sys.argv[1:4])
TURNS = 20
passed = 0


def count(size):
    global passed
    passed += size
    with open(sys.argv[4], "w") as file:
        file.write(str(passed))


async def pump(reader, writer, rate):
    try:
        while piece := await reader.read(rate // TURNS if rate else 65536):
            writer.write(piece)
            await writer.drain()
            if rate:
                count(len(piece))
                await asyncio.sleep(len(piece) / rate)
    except OSError:
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    try:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", THERE)
    except OSError:
        return writer.close()
    await asyncio.gather(pump(reader, to_writer, 0), pump(to_reader, writer, RATE))


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", HERE) as server:
        await server.serve_forever()


count(0)
asyncio.run(main())
