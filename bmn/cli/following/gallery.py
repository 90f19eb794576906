"""Showing pictures while they arrive, side by side, and putting the files where they were asked for."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from bmn.cli.following.board import Board
from bmn.cli.following.files import choose_names, write
from bmn.cli.terminal.console import console
from bmn.cli.terminal.format import short_id
from bmn.cli.terminal.images import mode
from bmn.client import Client, Event
from bmn.errors import BmnError
from bmn.schemas.documents import Asset

if TYPE_CHECKING:
    from bmn.cli.following.pictures import Tile


class Gallery:
    """The pictures of one command: each fetched once, numbered, shown as soon as a row of the contact sheet is full."""

    def __init__(self, client: Client, images: str | None) -> None:
        self.client = client
        self.mode = mode(images)
        self._data: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self._rough: set[str] = set()
        self._row: list[tuple[int, Tile]] = []

    async def on_event(self, event: Event, board: Board) -> None:
        """Takes in the picture that an event brings."""
        said = event.said
        if said.preview and self.mode != "none":
            await self._show_rough(event.job_id, said.preview, board)
        asset = said.asset
        if self.mode == "none" or asset is None or asset.id in self._seen:
            return
        self._seen.add(asset.id)
        number = len(self._seen) if said.logo_index is None else said.logo_index + 1
        await self._add(number, asset.id, asset.url, str(number), board)

    async def _show_rough(self, job_id: str, url: str, board: Board) -> None:
        """The first rough picture of a job by itself; what follows it is the picture."""
        from bmn.cli.following.pictures import Tile, contact_sheet, open_picture

        if job_id in self._rough:
            return
        self._rough.add(job_id)
        try:
            picture = await asyncio.to_thread(open_picture, await self.client.download(url))
        except BmnError:
            return  # it may be gone already, and nobody needs it
        if picture:
            board.picture(contact_sheet([Tile(picture, "on its way")], self.mode, console.width or 80))

    async def _add(self, number: int, asset_id: str, url: str, caption: str, board: Board) -> None:
        from bmn.cli.following.pictures import Tile, across, open_picture

        try:
            picture = await asyncio.to_thread(open_picture, await self.fetch(asset_id, url))
        except BmnError as error:
            board.say(f"picture {number} cannot be shown: {error.message}")
            return
        if picture:
            self._row.append((number, Tile(picture, caption)))
        if len(self._row) >= across(console.width or 80):
            board.picture(await asyncio.to_thread(self.take_row))

    def take_row(self) -> str:
        """The characters that draw what has arrived since the last row; empty where nothing has."""
        from bmn.cli.following.pictures import contact_sheet

        tiles = [tile for _, tile in sorted(self._row, key=lambda entry: entry[0])]
        self._row = []
        return contact_sheet(tiles, self.mode, console.width or 80)

    async def sheet(self, assets: list[Asset], captions: list[str]) -> str:
        """The characters that draw a contact sheet of these, each with its caption."""
        from bmn.cli.following.pictures import Tile, contact_sheet, open_picture

        if self.mode == "none":
            return ""
        datas = await asyncio.gather(*(self.fetch(asset.id, asset.url) for asset in assets))
        opened = [(open_picture(data), caption) for data, caption in zip(datas, captions, strict=True)]
        tiles = [Tile(picture, caption) for picture, caption in opened if picture]
        return await asyncio.to_thread(contact_sheet, tiles, self.mode, console.width or 80)

    async def fetch(self, asset_id: str, url: str) -> bytes:
        """The bytes of a picture; fetched once."""
        if asset_id not in self._data:
            self._data[asset_id] = await self.client.download(url)
        return self._data[asset_id]

    async def save(self, assets: list[Asset], folder: Path, stem: str, job_id: str) -> list[Path]:
        """Writes the files; answers with their paths, in the order given. job_id: tells them from earlier ones."""
        datas = list(await asyncio.gather(*(self.fetch(asset.id, asset.url) for asset in assets)))
        paths = choose_names(folder, stem, short_id(job_id)[:4], datas)
        for path, data in zip(paths, datas, strict=True):
            await asyncio.to_thread(write, path, data)
        return paths
