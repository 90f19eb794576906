"""Many clients at once: `python -m bench.sockets`. 50 users with 20 sockets each, every socket in its user's job room.

Prints the server's memory per idle client, event latency while every job tells, and what a client costs that never reads
while its job tells 16 MB.
"""

import argparse
import asyncio
import json
import sys
import uuid
from contextlib import AsyncExitStack

from bench.figures import row
from bench.http import Connection, request
from bench.listener import Listener
from bench.stack import BenchServer, api_process, running_stack
from bmn.identity.development import mint_development_token
from bmn.settings import load_settings

_MIB = 1024 * 1024
_SOCKETS = 20  # a user may have so many
_DEAF = 10
_MESSAGES = 2000
_MESSAGE_BYTES = 8000


def _tokens(stack: BenchServer, users: int) -> list[str]:
    settings = load_settings(bmn_home=stack.home)
    return [mint_development_token(settings, str(uuid.uuid4())) for _ in range(users)]


async def _job(stack: BenchServer, token: str) -> str:
    connection = await Connection.open(stack.url)
    _, body = await connection.ask(request("POST", "/api/v1/brands", token=token, body=b'{"name":"Bench"}'))
    brand = json.loads(body)["id"]
    post = json.dumps({"brandId": brand, "count": 1}).encode()
    _, body = await connection.ask(request("POST", "/api/v1/generation/logos", token=token, body=post))
    connection.close()
    return str(json.loads(body)["jobId"])


async def _begin_telling(stack: BenchServer, jobs: list[str], *figures: int) -> asyncio.subprocess.Process:
    """figures: how many events, how many a second, and of how many bytes; as `bench.publisher` takes them."""
    told = (",".join(jobs), *map(str, figures))
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.publisher", *told, env=stack.environment)


def _server_memory(stack: BenchServer) -> int:
    """PSS of the API process of this stack, in bytes."""
    return int(api_process(stack).memory_full_info().pss)


async def _measure_crowd(stack: BenchServer, users: int, each: int, seconds: int) -> None:
    tokens = _tokens(stack, users)
    jobs = [await _job(stack, token) for token in tokens]
    before = _server_memory(stack)
    async with AsyncExitStack() as crowd:
        listeners = [await crowd.enter_async_context(Listener(stack, token)) for token in tokens for _ in range(each)]
        idle = _server_memory(stack)
        print(f"{len(listeners)} idle clients: {(idle - before) / len(listeners) / 1024:.0f} KiB each")
        for number, listener in enumerate(listeners):
            await listener.join(jobs[number // each])
        teller = await _begin_telling(stack, jobs, users * seconds, users)
        heard = await asyncio.gather(*(listener.collect(seconds) for listener in listeners))
        await teller.wait()
    ages = [age for ages in heard for age in ages[1:]]
    print(row(f"{len(listeners)} clients, {users} jobs telling", ages, note=f"{users * each} deliveries/s"))


async def _most_grown(stack: BenchServer, deaf: int) -> float:
    """By how many MiB the server grows at most. It keeps what was told for those who come back, so it grows in any case."""
    (token,) = _tokens(stack, 1)
    job = await _job(stack, token)
    async with AsyncExitStack() as crowd:
        hearing = [await crowd.enter_async_context(Listener(stack, token)) for _ in range(_SOCKETS - deaf)]
        for listener in hearing + [
            await crowd.enter_async_context(Listener(stack, token, deaf=True)) for _ in range(deaf)
        ]:
            await listener.join(job)
        before = peak = _server_memory(stack)
        teller = await _begin_telling(stack, [job], _MESSAGES, 200, _MESSAGE_BYTES)
        collecting = asyncio.gather(*(listener.collect(_MESSAGES) for listener in hearing))
        while not collecting.done():
            await asyncio.wait([collecting], timeout=0.25)
            peak = max(peak, _server_memory(stack))
        await collecting
        await teller.wait()
    return (max(peak, _server_memory(stack)) - before) / _MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--each", type=int, default=_SOCKETS)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with running_stack("--no-workers", BMN_CREDITS_NEW_USER="100") as stack:
        asyncio.run(_measure_crowd(stack, options.users, options.each, options.seconds))
    grown = []
    for deaf in (0, _DEAF):  # each on a server that has told nothing yet
        with running_stack("--no-workers", BMN_CREDITS_NEW_USER="100") as stack:
            grown.append(asyncio.run(_most_grown(stack, deaf)))
    told, without, with_deaf = _MESSAGES * _MESSAGE_BYTES / _MIB, *grown
    print(f"{told:.0f} MiB told: the server grows by {without:.0f} MiB, with {_DEAF} deaf clients by {with_deaf:.0f}")
    print(f"so a client that never reads costs {(with_deaf - without) / _DEAF:.1f} MiB at most, until it is cut")


if __name__ == "__main__":
    main()
