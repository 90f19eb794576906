"""The official client for Python, by polling: it gives up a transport whose answer has more than sixteen packets."""

import asyncio
import json
import sys

from tests.kit.processes import PATIENCE
from tests.live.servers import Live

_EVENTS = 60
_CLIENT = """
import json, sys, threading, socketio
url, token, job, last = sys.argv[1:]
seqs, ended, client = [], threading.Event(), socketio.Client(reconnection=False)

@client.on("job:progress", namespace="/wizard")
def progress(data):
    seqs.append(data["seq"])
    if len(seqs) == int(last):
        ended.set()

@client.on("disconnect", namespace="/wizard")
def gone(reason):
    ended.set()

client.connect(url, namespaces=["/wizard"], auth={"token": token}, transports=["polling"])
client.call("job:join", {"jobId": job}, namespace="/wizard")
ended.wait(60)
print(json.dumps(seqs))
client.disconnect()
"""


async def test_a_job_with_a_long_history_is_followed_by_polling(live: Live) -> None:
    server = await live.server()
    job = await live.job()
    await live.publish_many(job, _EVENTS)
    asked = [server.url, live.token(), job, str(_EVENTS + 1)]  # and its first
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CLIENT, *asked, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert json.loads(out or "[]") == list(range(1, _EVENTS + 2)), err.decode()
