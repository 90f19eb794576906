"""Product clips: a camera move over the picture that was sent, as an MP4 that every browser plays."""

import io
import math
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageFilter, ImageOps

RATE = 24  # frames a second, as the vendor's
_OVERSCAN = 2  # the still is kept this much larger than a frame, so that a zoom stays sharp

# A camera move: from the share of the clip that has passed (0..1) to zoom (1 shows all) and the view's middle (-1..1).
Move = Callable[[float], tuple[float, float, float]]

_MOVES: dict[str, Move] = {
    "minimal": lambda t: (1.16 - 0.12 * t, 0.0, 0.0),
    "lifestyle": lambda t: (1.25, -0.8 + 1.6 * t, 0.0),
    "unboxing": lambda t: (1.3 - 0.2 * t, 0.0, 0.9 - 1.4 * t),
    "360": lambda t: (1.25, 0.9 * math.sin(2 * math.pi * t), 0.25 * math.cos(2 * math.pi * t)),
    "showcase": lambda t: (1.05 + 0.4 * t, 0.25 * math.sin(math.pi * t), -0.1 * t),
}


def video(image: bytes | None, seconds: int, width: int, height: int, prompt: str = "") -> bytes:
    """An H.264 MP4 of `seconds`, `width` by `height` (even numbers), 24 frames a second, without sound.

    image: the still to film; None films an empty studio. prompt: `lifestyle`, `unboxing`, `minimal` or `360` choose the
    camera move; others get a slow zoom. Raises OSError where the image is no picture.
    """
    move = next((move for word, move in _MOVES.items() if word in prompt.lower()), _MOVES["showcase"])
    still = _filling(image, width * _OVERSCAN, height * _OVERSCAN)
    frames = seconds * RATE
    # In a file, because the index is moved to the front at the end: players then start before they have it all.
    with tempfile.TemporaryDirectory(prefix="bmn-video-") as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            _encode(container, still, frames, (width, height), move)
        return path.read_bytes()


def _encode(container: Any, still: Image.Image, frames: int, size: tuple[int, int], move: Move) -> None:
    width, height = size
    from_image: Any = av.VideoFrame.from_image
    stream = container.add_stream("libx264", rate=RATE)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.options = {"preset": "veryfast", "crf": "26", "tune": "stillimage"}
    stream.codec_context.thread_count = 1
    for number in range(frames):
        eased = 0.5 - 0.5 * math.cos(math.pi * number / max(1, frames - 1))
        frame = from_image(_view(still, width, height, *move(eased)))
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _filling(data: bytes | None, width: int, height: int) -> Image.Image:
    """The picture in full, before a blurred copy of itself that fills the frame."""
    if data is None:
        return (
            Image.radial_gradient("L")
            .resize((width, height))
            .convert("RGB")
            .point([230 - v // 3 for v in range(256)] * 3)
        )
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    ground = ImageOps.fit(picture, (width // 8, height // 8)).filter(ImageFilter.GaussianBlur(14))
    ground = ground.resize((width, height), Image.Resampling.BICUBIC)
    front = ImageOps.contain(picture, (width, height), Image.Resampling.LANCZOS)
    fade = Image.new("L", (64, 64), 0)
    fade.paste(255, (3, 0, 61, 64) if front.width < width else (0, 3, 64, 61))
    fade = fade.filter(ImageFilter.GaussianBlur(1.6)).resize(front.size, Image.Resampling.BICUBIC)
    ground.paste(front, ((width - front.width) // 2, (height - front.height) // 2), fade)
    return ground


def _view(still: Image.Image, width: int, height: int, zoom: float, pan_x: float, pan_y: float) -> Image.Image:
    """What the camera sees; sub-pixel, so that a slow move does not tremble."""
    wide, high = still.width / zoom, still.height / zoom
    left = (still.width - wide) / 2 * (1 + pan_x)
    top = (still.height - high) / 2 * (1 + pan_y)
    box = (left, top, left + wide, top + high)
    return still.resize((width, height), Image.Resampling.BILINEAR, box=box, reducing_gap=1.5)
