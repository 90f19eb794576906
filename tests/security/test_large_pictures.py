"""Decoding takes memory by the pixel: whoever sends many large pictures at once has them decoded two at a time."""

import asyncio
import io
import threading

from PIL import Image

from bmn.providers.images import input_picture


async def test_no_more_than_two_pictures_are_decoded_at_once() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1500, 1500), "teal").save(buffer, "PNG")
    seen = 0
    deciding = [asyncio.create_task(input_picture(buffer.getvalue(), max_side=64)) for _ in range(12)]
    while not all(task.done() for task in deciding):
        seen = max(seen, sum(thread.name.startswith("decode") for thread in threading.enumerate()))
        await asyncio.sleep(0.001)
    assert 1 <= seen <= 2
    assert {(task.result().width, task.result().height) for task in deciding} == {(64, 64)}
