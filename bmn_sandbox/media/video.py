"""Product clips: the product turns, comes out of its box or is walked around, as an MP4 that every browser plays."""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from bmn_sandbox.media.color import Color, colors_in
from bmn_sandbox.media.cutout import cut_out, main_color, upright
from bmn_sandbox.media.shots import SHOTS, empty
from bmn_sandbox.media.stage import Shot, Stage, eased

RATE = 24  # frames a second, as the vendor's
_HELD = RATE // 2  # frames that the end stays
_DISSOLVED = RATE // 3  # frames in which the end gives way to the beginning
_GRAY = 0.12  # a color with less in it says nothing about a brand


def video(image: bytes | None, seconds: int, width: int, height: int, prompt: str = "") -> bytes:
    """An H.264 MP4 of `seconds`, `width` by `height` (even numbers), 24 frames a second, without sound.

    image: the product to film; None films an empty studio. prompt: `lifestyle`, `unboxing`, `minimal` or `360` choose
    what happens; else the product turns. Raises OSError where the image is no picture.
    """
    shot = shot_of(image, (width, height), prompt)
    frames = seconds * RATE
    # In a file, because the index is moved to the front at the end: players then start before they have it all.
    with tempfile.TemporaryDirectory(prefix="bmn-video-") as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            _encode(container, shot, frames, (width, height))
        return path.read_bytes()


def shot_of(image: bytes | None, size: tuple[int, int], prompt: str) -> Shot:
    """The frames of a film, each by its moment between 0 and 1."""
    colors = [color for color in colors_in(prompt) if color.saturation > _GRAY]
    if image is None:
        return empty(size, (colors or [Color(150, 150, 160)])[0])
    product = upright(cut_out(image))
    colors = colors or [Color(*main_color(product))]
    make = next((make for word, make in SHOTS.items() if word in prompt.lower()), SHOTS["showcase"])
    return make(Stage(product, (colors[0], colors[-1]), size))


def _encode(container: Any, shot: Shot, frames: int, size: tuple[int, int]) -> None:
    from_image: Any = av.VideoFrame.from_image
    stream = container.add_stream("libx264", rate=RATE)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.options = {"preset": "veryfast", "crf": "25"}
    stream.codec_context.thread_count = 1
    for number, picture in enumerate(_played(shot, frames)):
        frame = from_image(picture)
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _played(shot: Shot, frames: int) -> Iterator[Image.Image]:
    """The frames of a film. Its end stays for half a second; it begins with that too, so that it can be played in a
    circle, and shows the product where a player shows its first frame.
    """
    end, course = shot(1.0), frames - _HELD
    for number in range(course):
        frame = shot(number / course)
        yield Image.blend(end, frame, eased(number / _DISSOLVED)) if number < _DISSOLVED else frame
    for _ in range(_HELD):
        yield end
