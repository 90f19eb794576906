"""Showing pictures while they arrive, and putting the files where they were asked for."""

import asyncio
from pathlib import Path

from bmn.cli.following.board import Board
from bmn.cli.lookup import assets as naming
from bmn.cli.terminal.format import short_id
from bmn.client import Client, Event
from bmn.errors import BmnError
from bmn.schemas.documents import Asset

_COLUMNS = 28


class Gallery:
    """The pictures of one command: each fetched once, shown as it arrives, numbered."""

    def __init__(self, client: Client, images: str | None) -> None:
        from bmn.cli.following.pictures import mode

        self.client = client
        self.mode = mode(images)
        self._data: dict[str, bytes] = {}
        self._shown: set[str] = set()

    async def on_event(self, event: Event, board: Board) -> None:
        asset = event.data.get("asset")
        if self.mode == "none" or not asset or asset["id"] in self._shown:
            return
        self._shown.add(asset["id"])
        number = int(event.data["logoIndex"]) + 1 if event.data.get("logoIndex") is not None else len(self._shown)
        try:
            data = await self.fetch(asset["id"], asset["url"])
        except BmnError as error:
            board.say(f"picture {number} cannot be shown: {error.message}")
            return
        drawing = await asyncio.to_thread(self.draw, data)
        if drawing:
            board.say(f" {number}")
            board.picture(drawing)

    def draw(self, data: bytes) -> str:
        from bmn.cli.following.pictures import encode, open_picture

        picture = open_picture(data)
        return encode(picture, self.mode, _COLUMNS) if picture else ""

    async def fetch(self, asset_id: str, url: str) -> bytes:
        if asset_id not in self._data:
            self._data[asset_id] = await self.client.download(url)
        return self._data[asset_id]

    async def save(self, assets: list[Asset], folder: Path, stem: str, job_id: str) -> list[Path]:
        """Writes the files; answers with their paths, in the order given. job_id: tells them from earlier ones."""
        datas = list(await asyncio.gather(*(self.fetch(asset.id, asset.url) for asset in assets)))
        paths = naming.choose_names(folder, stem, short_id(job_id)[:4], datas)
        for path, data in zip(paths, datas, strict=True):
            await asyncio.to_thread(naming.write, path, data)
        return paths
