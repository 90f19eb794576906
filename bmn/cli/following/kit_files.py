"""What a kit has made, where it stops: shown, written where it was asked for, and named file by file."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bmn.cli.following.gallery import Gallery
from bmn.cli.following.output_files import local_path, stem_for
from bmn.cli.lookup.asset_lookup import numbered
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.schemas.documents import Asset, JobRecord, Kit

_VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The jobs of a kit that have delivered, and their pictures and videos in order, each with its file. web: the server."""

    jobs: list[JobRecord]
    files: list[tuple[Asset, Path | None]]
    web: str


async def deliver(client: Client, kit: Kit, out: Path | None, images: str | None) -> Delivered:
    """Draws what is there on a terminal, and writes it to a folder. images: how, None detects."""
    ids = [job.job_id for step in kit.steps for job in step.jobs if job.state in ("completed", "partial")]
    jobs = list(await asyncio.gather(*map(client.job, ids)))
    assets = [asset for job in jobs for asset in numbered(job.assets)]
    gallery = Gallery(client, images)
    pictures = [(number, asset) for number, asset in enumerate(assets, start=1) if asset.type != _VIDEO]
    console.show(await gallery.sheet(pictures))
    found = {asset.id: local_path(client, asset.url) for asset in assets}
    for kind in dict.fromkeys(asset.type for asset in assets) if out else ():
        same = [asset for asset in assets if asset.type == kind]
        stem = stem_for(kit.brand_name or kit.brand_id, kind)
        assert out is not None
        paths = await gallery.save(same, out, stem, kit.group_id)
        found |= {asset.id: path for asset, path in zip(same, paths, strict=True)}
    return Delivered(jobs, [(asset, found[asset.id]) for asset in assets], client.api_url)
