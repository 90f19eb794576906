"""Submits logos for a brand, tells what happens, and saves the pictures: python follow_a_job.py "Acme Coffee" logos

Any break is survived: the client reconnects and goes on after the last event it had. On the local development server it
signs itself in; elsewhere BMN_API_URL and BMN_TOKEN say where and who.
"""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from bmn.client import Client, follow
from bmn.errors import BmnError
from bmn.settings import load_settings


async def main(name: str, folder: Path) -> int:
    async with Client(load_settings(), on_notice=print) as client:
        brand = await client.create_brand(name)
        # The key makes a repetition harmless: the same key and body are one job, however often they are sent.
        order = {"brandId": brand.id, "count": 2, "logoStyle": "vintage"}
        job = await client.generate("logos", order, idempotency_key=str(uuid4()))
        async for event in follow(client, job.job_id):
            print(f"{event.seq:>3}  {event.name:<13} {event.data.get('message') or event.data.get('error')}")
        ended = await client.job(job.job_id)
        for number, asset in enumerate(ended.assets, 1):
            path = folder / f"{number}.png"
            picture = await client.download(asset.url)
            await asyncio.to_thread(path.write_bytes, picture)
            print(path)
        return 0 if ended.state == "completed" else 1


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    try:
        sys.exit(asyncio.run(main(sys.argv[1], target)))
    except BmnError as error:
        sys.exit(f"{error.message} {error.hint or ''}")
