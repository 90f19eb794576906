"""Decoding takes memory by the pixel: a large picture is held once, and many large ones are not decoded at the same time."""

import asyncio
import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from bmn.providers.decoders import MAX_PIXELS, PIXELS
from bmn.providers.images import input_picture

_WIDTH, _HEIGHT = 4000, 2500
_BYTES_A_PIXEL = 9  # Pillow's own, of the one picture, are 4
_PEAK = """
import asyncio, re, sys
from pathlib import Path
from bmn.providers.images import input_picture
peak = lambda: 1024 * int(re.search("VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
data = Path(sys.argv[1]).read_bytes()
before = peak()
made = asyncio.run(input_picture(data, max_side=512))
print(peak() - before, made.width, made.height)
"""


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


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of one program")
@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("P", "PNG"), ("CMYK", "JPEG")])
def test_no_copy_of_a_large_picture_is_made(mode: str, kind: str, tmp_path: Path) -> None:
    """With a color profile and turned by its camera: each of the two made further copies of all of it once."""
    turned = Image.Exif()
    turned[0x0112] = 6
    profile = b"" if mode == "CMYK" else ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = tmp_path / "large"
    Image.new(mode, (_WIDTH, _HEIGHT), 1).save(file, kind, exif=turned, icc_profile=profile, compress_level=1)
    done = subprocess.run([sys.executable, "-c", _PEAK, str(file)], capture_output=True, text=True, check=True)
    peak, width, height = map(int, done.stdout.split())
    assert (width, height) == (320, 512)
    assert peak < _BYTES_A_PIXEL * _WIDTH * _HEIGHT


async def test_a_picture_waits_until_there_is_room_for_its_pixels() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "teal").save(buffer, "PNG")
    with PIXELS.taken(MAX_PIXELS):
        waiting = asyncio.create_task(input_picture(buffer.getvalue(), max_side=8))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
    assert (await waiting).width == 8
