"""Many clients at once: `python -m bench.sockets`. 50 users with 20 sockets each, every socket in its user's job room.

Prints the server's memory per idle client, event latency while every job tells, and what a client that never reads costs.
"""

import argparse
import asyncio
import json
import sys
import uuid

import psutil

from bench.figures import row
from bench.http import Connection, request
from bench.listener import Listener
from bench.stack import Stack, running_stack
from bmn.auth import mint_development_token
from bmn.settings import load_settings


async def _job(stack: Stack, token: str) -> str:
    connection = await Connection.open(stack.url)
    _, body = await connection.ask(request("POST", "/api/v1/brands", token=token, body=b'{"name":"Bench"}'))
    brand = json.loads(body)["id"]
    post = json.dumps({"brandId": brand, "count": 1}).encode()
    _, body = await connection.ask(request("POST", "/api/v1/generation/logos", token=token, body=post))
    connection.close()
    return str(json.loads(body)["jobId"])


def _server_memory(stack: Stack) -> int:
    """PSS of the API process of this stack, in bytes."""
    state = json.loads((stack.home / "serve.json").read_text())
    for child in psutil.Process(state["pid"]).children():
        if "api" in " ".join(child.cmdline()[:2]):
            return int(child.memory_full_info().pss)
    raise RuntimeError("the stack has no API process")


async def _measure(stack: Stack, users: int, each: int, seconds: int) -> None:
    settings = load_settings(bmn_home=stack.home)
    tokens = [mint_development_token(settings, str(uuid.uuid4())) for _ in range(users)]
    jobs = [await _job(stack, token) for token in tokens]
    before = _server_memory(stack)
    listeners = [Listener(stack, token) for token in tokens for _ in range(each)]
    for listener in listeners:
        await listener.__aenter__()
    idle = _server_memory(stack)
    print(f"{len(listeners)} idle clients: {(idle - before) / len(listeners) / 1024:.0f} KiB each")
    for number, listener in enumerate(listeners):
        await listener.join(jobs[number // each])
    teller = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.teller", ",".join(jobs), str(users * seconds), str(users), env=stack.environment
    )
    heard = await asyncio.gather(*(listener.collect(seconds) for listener in listeners))
    await teller.wait()
    ages = [age for ages in heard for age in ages[1:]]
    print(row(f"{len(listeners)} clients, {users} jobs telling", ages, note=f"{users * each} deliveries/s"))
    for listener in listeners:
        await listener.__aexit__(None, None, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with running_stack("--no-workers", BMN_CREDITS_NEW_USER="100") as stack:
        asyncio.run(_measure(stack, options.users, options.each, options.seconds))


if __name__ == "__main__":
    main()
