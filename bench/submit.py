"""POST to 202 at 1 and 50 clients, and event latency from a worker process to a client: `python -m bench.submit`.

/health/live in the same run tells how much of a figure is HTTP on this machine.
"""

import argparse
import asyncio
import json
import sys

from bench.figures import row
from bench.http import Connection, load, request
from bench.listener import Listener
from bench.stack import Stack, running_stack


async def _brand(stack: Stack) -> str:
    connection = await Connection.open(stack.url)
    status, body = await connection.ask(
        request("POST", "/api/v1/brands", token=stack.token, body=json.dumps({"name": "Bench"}).encode())
    )
    connection.close()
    if status not in (200, 201):
        raise RuntimeError(f"no brand: {status} {body!r}")
    return str(json.loads(body)["id"])


def _logos(token: str, brand: str) -> bytes:
    body = {
        "brandId": brand,
        "brandName": "Bench",
        "logoStyle": "modern",
        "colorPalette": ["#112233"],
        "brandVision": "To be measured.",
        "count": 1,
    }
    return request("POST", "/api/v1/generation/logos", token=token, body=json.dumps(body).encode())


async def _measure_submit(stack: Stack, requests: int) -> None:
    brand = await _brand(stack)
    live, post = request("GET", "/health/live"), _logos(stack.token, brand)
    await load(stack.url, lambda _: post, clients=4, requests=200, expect=202)
    for clients in (1, 50):
        seconds, rate = await load(stack.url, lambda _: live, clients=clients, requests=requests, expect=200)
        print(row(f"GET /health/live, {clients} clients", seconds, note=f"{rate:,.0f}/s"))
        seconds, rate = await load(stack.url, lambda _: post, clients=clients, requests=requests, expect=202)
        print(row(f"POST /generation/logos to 202, {clients} clients", seconds, note=f"{rate:,.0f}/s"))


async def _measure_events(stack: Stack, events: int, rate: float) -> None:
    """A worker process tells `agent:message` at a steady rate; a client in the job's room notes when each arrives."""
    brand = await _brand(stack)
    connection = await Connection.open(stack.url)
    _, body = await connection.ask(_logos(stack.token, brand))
    connection.close()
    job_id = json.loads(body)["jobId"]
    async with Listener(stack) as listener:
        await listener.join(job_id)
        teller = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.teller", job_id, str(events), str(rate), env=stack.environment
        )
        async with asyncio.timeout(60):
            seconds = await listener.collect(events)
        await teller.wait()
    print(row(f"event, worker process to client, {rate:.0f}/s", seconds[len(seconds) // 10 :]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--events", type=int, default=1000)
    options = parser.parse_args()
    with running_stack("--no-workers") as stack:
        asyncio.run(_measure_submit(stack, options.requests))
        asyncio.run(_measure_events(stack, options.events, 100.0))


if __name__ == "__main__":
    main()
