"""POST to 202 at 1 and 50 clients, and event latency from a worker process to a client: `python -m bench.submit`.

/health/live in the same run tells how much of a figure is HTTP on this machine. The server's processor time a request is
the figure to compare on a machine that does other work.
"""

import argparse
import asyncio
import json
import sys

from bench.figures import row
from bench.http import Connection, load, request
from bench.listener import Listener
from bench.stack import BenchServer, api_process, running_stack


async def _brand(stack: BenchServer) -> str:
    connection = await Connection.open(stack.url)
    status, body = await connection.ask(
        request("POST", "/api/v1/brands", token=stack.token, body=json.dumps({"name": "Bench"}).encode())
    )
    connection.close()
    if status not in (200, 201):
        raise RuntimeError(f"no brand: {status} {body!r}")
    return str(json.loads(body)["id"])


def _logos(token: str, brand: str, **said: object) -> bytes:
    body = {"brandId": brand, "count": 1, **said}
    return request("POST", "/api/v1/generation/logos", token=token, body=json.dumps(body).encode())


async def _measure_submit(stack: BenchServer, requests: int) -> None:
    brand = await _brand(stack)
    api = api_process(stack)
    whole = _logos(
        stack.token,
        brand,
        brandName="Bench",
        logoStyle="modern",
        colorPalette=["#112233"],
        brandVision="To be measured.",
    )
    asked = (
        ("GET /health/live", request("GET", "/health/live"), 200),
        ("POST /generation/logos to 202", whole, 202),
        ("POST, the rest from the brand", _logos(stack.token, brand), 202),
    )
    await load(stack.url, lambda _: whole, clients=4, requests=200, expect=202)
    for clients in (1, 50):
        for name, sent, expect in asked:
            before = sum(api.cpu_times()[:2])
            seconds, rate = await load(
                stack.url, lambda _, sent=sent: sent, clients=clients, requests=requests, expect=expect
            )
            spent = (sum(api.cpu_times()[:2]) - before) / requests * 1e6
            print(row(f"{name}, {clients} clients", seconds, note=f"{rate:,.0f}/s, {spent:,.0f} us of the server"))


async def _measure_events(stack: BenchServer, events: int, rate: float) -> None:
    """A worker process tells `agent:message` at a steady rate; a client in the job's room notes when each arrives."""
    brand = await _brand(stack)
    connection = await Connection.open(stack.url)
    _, body = await connection.ask(_logos(stack.token, brand))
    connection.close()
    job_id = json.loads(body)["jobId"]
    async with Listener(stack) as listener:
        await listener.join(job_id)
        teller = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.publisher", job_id, str(events), str(rate), env=stack.environment
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
