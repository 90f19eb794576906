"""Showing pictures while they arrive, side by side, and putting the files where they were asked for."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bmn.cli.following.board import Board
from bmn.cli.following.output_files import choose_names, make_folder, write
from bmn.cli.terminal.console import console
from bmn.cli.terminal.image_support import mode
from bmn.client import Client, Event
from bmn.client.said import BroughtAsset
from bmn.errors import BmnError
from bmn.schemas.documents import Asset
from bmn.schemas.traits import AssetTraits

if TYPE_CHECKING:
    from bmn.cli.following.pictures import Tile


def caption(number: int, traits: AssetTraits, *, is_selected: bool = False) -> str:
    """What stands below a picture: its number, and what it is of. The mark comes first, as long captions are cut."""
    picked = "✓ picked" if is_selected else ""
    name = traits.product or traits.variation or traits.style
    return " ".join(filter(None, (str(number), picked, name)))


class Gallery:
    """The pictures of one command: each fetched once, shown in the order asked for, as soon as a row of them is full.

    A number is given when all before it are known: it is the one of the list of files, and of `logos select`.
    """

    def __init__(self, client: Client, images: str | None) -> None:
        self.client = client
        self.mode = mode(images)
        self._data: dict[str, bytes] = {}
        self._brought: dict[str, dict[int, BroughtAsset]] = {}  # by job, and by their place in it
        self._ended: set[str] = set()
        self._shown = 0
        self._row: list[Tile] = []
        self._rough: dict[str, Tile] = {}
        self._turn = asyncio.Lock()

    async def on_event(self, event: Event, board: Board) -> None:
        """Takes in the picture that an event brings, and the end of a job, which brings no more."""
        if self.mode == "none":
            return
        said = event.said
        if said.preview:
            await self._take_rough(event.job_id, said.preview)
        if said.asset:
            with suppress(BmnError):  # said when its turn comes
                await self.fetch(said.asset.id, said.asset.url)
            self._brought.setdefault(event.job_id, {})[said.logo_index or 0] = said.asset
        if event.ends:
            self._ended.add(event.job_id)
        if said.asset or event.ends:
            self._rough.pop(event.job_id, None)
            async with self._turn:
                await self._show_due(board)
        if said.preview or said.asset or event.ends:
            await self._show_rough(board)

    async def on_end(self, board: Board) -> None:
        """Shows what is left, above the bars as all before it."""
        self._ended.update(board.lines)
        self._rough.clear()
        board.sketch("")
        async with self._turn:
            await self._show_due(board)
            await self._draw_row(board)

    async def _show_due(self, board: Board) -> None:
        from bmn.cli.following.pictures import across

        due = list(self._due(board))
        while self._shown < len(due):
            self._shown += 1
            await self._add(self._shown, due[self._shown - 1], board)
            if len(self._row) >= across(console.width or 80):
                await self._draw_row(board)

    def _due(self, board: Board) -> Iterator[BroughtAsset]:
        """What has its number: up to the first that is still to come."""
        for line in list(board.lines.values()):
            brought = self._brought.get(line.job_id, {})
            ended = line.job_id in self._ended
            for index in range(max([len(line.units), *(known + 1 for known in brought)])):
                if index in brought:
                    yield brought[index]
                elif not ended:
                    return
            if not ended:
                return

    async def _add(self, number: int, asset: BroughtAsset, board: Board) -> None:
        from bmn.cli.following.pictures import Tile, open_picture

        try:
            picture = await asyncio.to_thread(open_picture, await self.fetch(asset.id, asset.url))
        except BmnError as error:
            board.say(f"picture {number} cannot be shown: {error.message}")
            return
        if picture:
            self._row.append(Tile(picture, caption(number, asset.traits)))

    async def _draw_row(self, board: Board) -> None:
        from bmn.cli.following.pictures import contact_sheet

        tiles, self._row = self._row, []
        if tiles:
            board.picture(await asyncio.to_thread(contact_sheet, tiles, self.mode, console.width or 80))

    async def _take_rough(self, job_id: str, url: str) -> None:
        """The newest rough picture of a job; only half blocks can be drawn again in place."""
        from bmn.cli.following.pictures import Tile, open_picture

        if self.mode != "blocks":
            return
        try:
            picture = await asyncio.to_thread(open_picture, await self.client.download(url))
        except BmnError:
            return  # it may be gone already, and nobody needs it
        if picture:
            self._rough[job_id] = Tile(picture, "on its way")

    async def _show_rough(self, board: Board) -> None:
        from bmn.cli.following.pictures import across, contact_sheet

        width = console.width or 80
        tiles = [self._rough[job_id] for job_id in board.lines if job_id in self._rough][: across(width)]
        board.sketch(await asyncio.to_thread(contact_sheet, tiles, self.mode, width))

    async def sheet(self, assets: Sequence[tuple[int, Asset]]) -> str:
        """The characters that draw a contact sheet of these, each with its number."""
        from bmn.cli.following.pictures import Tile, contact_sheet, open_picture

        if self.mode == "none":
            return ""
        datas = await asyncio.gather(*(self.fetch(asset.id, asset.url) for _, asset in assets))
        tiles = [
            Tile(picture, caption(number, asset.traits, is_selected=asset.is_selected))
            for data, (number, asset) in zip(datas, assets, strict=True)
            if (picture := open_picture(data))
        ]
        return await asyncio.to_thread(contact_sheet, tiles, self.mode, console.width or 80)

    async def fetch(self, asset_id: str, url: str) -> bytes:
        """The bytes of a picture; fetched once."""
        if asset_id not in self._data:
            self._data[asset_id] = await self.client.download(url)
        return self._data[asset_id]

    async def save(self, assets: list[Asset], folder: Path, stem: str, job_id: str) -> list[Path]:
        """Writes the files; answers with their paths, in the order given. job_id: tells them from earlier ones."""
        datas = list(await asyncio.gather(*(self.fetch(asset.id, asset.url) for asset in assets)))
        make_folder(folder)  # it may have gone since it was made
        paths = choose_names(folder, stem, job_id, dict(enumerate(datas, start=1)))
        for path, data in zip(paths, datas, strict=True):
            await asyncio.to_thread(write, path, data)
        return paths
