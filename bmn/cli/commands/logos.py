"""`bmn logos`: look at what was made, pick one, keep it, refine it."""

import os
import shlex
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.following.gallery import Gallery
from bmn.cli.following.output_files import choose_names, make_folder, stem_for, write
from bmn.cli.lookup.asset_lookup import find_asset, newest, number_of, numbered, of_brand
from bmn.cli.lookup.brand_lookup import find_brand
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.paths import shown
from bmn.cli.terminal.record_format import short_id, unsigned
from bmn.cli.terminal.timespan import ago, listed, local
from bmn.client import Client
from bmn.errors import NotFound
from bmn.schemas import documents
from bmn.schemas.documents import Asset
from bmn.schemas.provenance import provenance_of

Brand = Annotated[str | None, typer.Option("--brand", metavar="NAME", help="Whose; the newest brand by default.")]
Logo = Annotated[str, typer.Argument()]
Images = Annotated[str | None, typer.Option(metavar="HOW", help="auto, kitty, iterm, sixel, blocks or none.")]

app = group(
    "Pictures by number, as they were shown; or JOB/2; or an id.",
    "bmn logos list",
    "bmn logos select 2",
    "bmn logos show 2",
    "bmn logos save 2 --out logo.png",
    'bmn logos refine 2 --notes "rounder"',
)


async def _brand_of(client: Client, reference: str | None) -> documents.Brand:
    if reference:
        return await find_brand(client, reference)
    brands = (await client.brands(limit=1)).brands  # the newest
    if not brands:
        raise NotFound("There is no brand yet.", hint='Make one: bmn generate logos --brand "Acme Coffee"')
    return brands[0]


@app.command("list", cls=examples('bmn logos list --brand "Acme Coffee"', "bmn logos list --all --images blocks"))
def list_logos(
    brand: Brand = None,
    everything: Annotated[bool, typer.Option("--all", help="Of every job, not of the newest only.")] = False,
    images: Images = None,
) -> None:
    """The brand's logos, as a numbered sheet where the terminal shows pictures."""

    async def fetch() -> tuple[documents.Brand, list[Asset], int, str]:
        async with open_client() as client:
            record = await _brand_of(client, brand)
            found = await of_brand(client, record.id, "logo")
            chosen = _by_job(found) if everything else newest(found)
            drawing = await Gallery(client, images).sheet([*enumerate(chosen[:_SHOWN], start=1)])
            return record, chosen, len(found) - len(chosen), drawing

    record, found, older, drawing = run(fetch())
    if console.json:
        console.document({"assets": found})
        return
    name = shlex.quote(record.name)
    if not found:
        console.say(f"{record.name} has no logos yet.")
        console.next_step(f"bmn generate logos --brand {name}")
        return
    if drawing:
        console.draw(drawing.rstrip("\n"))
    human = console.width is not None
    names = _names(found) if everything else [_job(asset) for asset in found]
    rows = [
        (
            str(number),
            names[number - 1],
            asset.traits.variation,
            asset.traits.style,
            "✓" if asset.is_selected else "",
            listed(asset.created_at),
            asset.id,
            unsigned(asset.url),
        )
        for number, asset in enumerate(found, start=1)
    ]
    console.table(_COLUMNS if human else _EVERYTHING, rows)
    if older:
        console.say(f"{older} older: bmn logos list --all --brand {name}")
    if any(asset.is_selected for asset in found):
        console.next_step(f"bmn generate mockups --brand {name} --product mug", f"bmn open --brand {name}")
    else:
        console.next_step(f"bmn logos select 1 --brand {name}", f"bmn open --brand {name}")


_SHOWN = 8  # pictures
_COLUMNS = (
    Column("NO", right=True),
    Column("JOB"),
    Column("VARIATION", flexible=True),
    Column("STYLE", drop=2),
    Column("PICKED"),
    Column("MADE", drop=1),
)
_EVERYTHING = (*_COLUMNS, Column("ID"), Column("URL"))


def _job(asset: Asset) -> str:
    job_id = str(asset.job_id)
    return job_id if console.width is None else short_id(job_id)


def _by_job(found: list[Asset]) -> list[Asset]:
    """Newest job first, and each job's own in the order of their numbers: the newest job's numbers are the list's."""
    jobs = dict.fromkeys(asset.job_id for asset in found)
    return [asset for job_id in jobs for asset in numbered([one for one in found if one.job_id == job_id])]


def _names(found: list[Asset]) -> list[str]:
    """What other commands call each of a list that spans jobs, in its order: JOB/2."""
    seen: Counter[str | None] = Counter()
    names = []
    for asset in found:
        seen[asset.job_id] += 1
        names.append(f"{_job(asset)}/{seen[asset.job_id]}")
    return names


@app.command(cls=examples("bmn logos show 2", "bmn logos show 7f3a/2 --json"))
def show(logo: Logo, brand: Brand = None, images: Images = None) -> None:
    """One logo in full: how it was asked for, who made it, and where it is."""

    async def fetch() -> tuple[documents.Brand, Asset, str]:
        async with open_client() as client:
            record = await _brand_of(client, brand)
            asset = await find_asset(client, record.id, logo)
            drawing = "" if console.json else await Gallery(client, images).sheet([(1, asset)])
            return record, asset, drawing

    record, asset, drawing = run(fetch())
    if console.json:
        console.document(asset)
        return
    if drawing:
        console.draw(drawing.rstrip("\n"))
    console.answer(asset.id)
    provenance = provenance_of(asset.metadata)
    fields = {
        "Brand": f"{record.name}{', its picked logo' if asset.is_selected else ''}",
        "Job": _job(asset) if asset.job_id else None,
        "Variation": asset.traits.variation or None,
        "Style": asset.traits.style or None,
        "File": f"{asset.mime_type}, {asset.size_bytes:,} bytes",
        "Origin": provenance.told() if provenance else "not noted",
        "Made": f"{local(asset.created_at)}  ({ago(asset.created_at)})",
        "URL": unsigned(asset.url),
    }
    for name, value in fields.items():
        if value:
            console.field(name, str(value))
    name = shlex.quote(record.name)
    console.next_step(f"bmn logos {'save' if asset.is_selected else 'select'} {logo} --brand {name}")


@app.command(cls=examples("bmn logos select 2", "bmn logos select 7f3a/2"))
def select(logo: Logo, brand: Brand = None) -> None:
    """Makes a logo the brand's own; mockups use it from now on."""

    async def act() -> tuple[documents.Brand, Asset]:
        async with open_client() as client:
            record = await _brand_of(client, brand)
            asset = await find_asset(client, record.id, logo)
            return record, await client.select(asset.id)

    record, asset = run(act())
    if console.json:
        console.document(asset)
    else:
        console.answer(f"{asset.id}  is the logo of {record.name}")
    console.next_step(f"bmn generate mockups --brand {shlex.quote(record.name)} --product mug")


@app.command(cls=examples("bmn logos save 2", "bmn logos save 2 --out logo.png"))
def save(
    logo: Logo,
    brand: Brand = None,
    out: Annotated[
        str | None, typer.Option("-o", "--out", metavar="FILE", help="Where to; a folder works as well.")
    ] = None,
) -> None:
    """Writes a logo to a file."""

    async def act() -> tuple[documents.Brand, Asset, int, bytes]:
        async with open_client() as client:
            record = await _brand_of(client, brand)
            asset = await find_asset(client, record.id, logo)
            return record, asset, await number_of(client, asset), await client.download(asset.url)

    record, asset, number, data = run(act())
    folder = Path(out or "")
    if not out or out.endswith(("/", os.sep)) or folder.is_dir():
        make_folder(folder)
        [path] = choose_names(folder, stem_for(record.name, "logo"), asset.job_id or asset.id, {number: data})
    else:
        path = folder
    write(path, data)
    if console.json:
        console.document({**asset.wire(), "file": str(path)})
    else:
        console.answer(shown(path))
    console.next_step(f"bmn logos select {logo} --brand {shlex.quote(record.name)}")


@app.command(cls=examples('bmn logos refine 2 --notes "thicker lines"'))
def refine(
    logo: Logo,
    *,
    brand: Brand = None,
    notes: Annotated[str, typer.Option(metavar="TEXT", help="What to change.")],
    count: Annotated[int, typer.Option(min=1, max=8, metavar="N", help="How many pictures.")] = 4,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", file_okay=False, metavar="DIR", help="Write the files there.")
    ] = None,
) -> int:
    """Makes new logos from one; the same as `generate logos --refine`."""
    from bmn.cli.commands.generate import logos as generate_logos

    async def name_of() -> str:
        async with open_client() as client:
            return (await _brand_of(client, brand)).name

    return generate_logos(brand=brand or run(name_of()), refine=logo, notes=notes, count=count, out=out)
