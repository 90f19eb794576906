"""Draws brand logos from a prompt."""

from PIL import Image


def render_logo(prompt: str, seed: int, size: tuple[int, int], reference: bytes | None = None) -> Image.Image:
    return Image.new("RGB", size, (200, seed % 255, len(prompt) % 255))
