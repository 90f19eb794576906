"""`bmn brands`: what pictures are made for."""

import shlex
from typing import Annotated

import typer

from bmn.cli.base import UsageError, examples, group, run
from bmn.cli.lookup.asset_lookup import of_brand
from bmn.cli.lookup.brand_lookup import all_brands, brands_named, find_brand
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal.cells import Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.params import Reveal, brand_name, color
from bmn.cli.terminal.shell import last_word
from bmn.cli.terminal.timespan import ago, listed, local
from bmn.errors import Conflict
from bmn.format import count
from bmn.schemas.documents import Asset, Brand
from bmn.schemas.look import COLUMNS, LogoStyle, differing, told

app = group(
    "The brands that pictures are made for.", 'bmn brands create "Acme Coffee" --color "#5A3825"', "bmn brands list"
)


@app.command(cls=examples('bmn brands create "Acme Coffee" --style vintage --color "#5A3825" --vision "slow mornings"'))
def create(
    name: Annotated[str, typer.Argument(parser=brand_name)],
    style: Annotated[LogoStyle | None, typer.Option("--style")] = None,
    colors: Annotated[
        list[str] | None,
        typer.Option("--color", parser=color, metavar="COLOR", help="#5A3825 or navy; up to 8, the palette."),
    ] = None,
    vision: Annotated[str | None, typer.Option("--vision", metavar="TEXT", help="What the brand stands for.")] = None,
    archetype: Annotated[str | None, typer.Option("--archetype", metavar="TEXT", help="Its character.")] = None,
) -> None:
    """Makes a brand; generators take what it says as their defaults."""
    fields = {"logoStyle": style, "colorPalette": colors, "vision": vision, "archetype": archetype}

    async def act() -> Brand:
        async with open_client() as client:
            if await brands_named(client, name):
                hint = f"bmn brands show {last_word(name)}"
                raise Conflict(f"You already have a brand named {name!r}.", hint=hint)
            return await client.create_brand(name, **{field: value for field, value in fields.items() if value})

    brand = run(act())
    if console.json:
        console.document(brand)
    else:
        console.answer(f"{brand.id}  {brand.name}")
    console.next_step(f"bmn generate logos --brand {shlex.quote(name)}")


@app.command(cls=examples('bmn brands change "Acme Coffee" --style vintage --color "#5A3825" --color "#F2E8DC"'))
def change(
    brand: Annotated[str, typer.Argument(help="Its name or id.")],
    style: Annotated[LogoStyle | None, typer.Option("--style")] = None,
    colors: Annotated[
        list[str] | None,
        typer.Option("--color", parser=color, metavar="COLOR", help="#5A3825 or navy; up to 8, the palette."),
    ] = None,
    vision: Annotated[str | None, typer.Option("--vision", metavar="TEXT", help="What the brand stands for.")] = None,
    archetype: Annotated[str | None, typer.Option("--archetype", metavar="TEXT", help="Its character.")] = None,
) -> None:
    """Changes what the next pictures start from; those that are there stay as they are."""
    fields = {"logoStyle": style, "colorPalette": colors, "vision": vision, "archetype": archetype}
    given = {field: value for field, value in fields.items() if value}
    if not given:
        raise UsageError("Say what changes: --style, --color, --vision or --archetype.")

    async def act() -> tuple[Brand, Brand]:
        async with open_client() as client:
            before = await find_brand(client, brand)
            return before, await client.change_brand(before.id, **given)

    before, now = run(act())
    if console.json:
        console.document(now)
        return
    after = {name: getattr(now, name) for name in COLUMNS}
    console.answer(f"{now.name}: {told(before, differing(before, after)) or 'changed'}")
    console.next_step(f"bmn generate logos --brand {shlex.quote(now.name)}")


@app.command("list", cls=examples("bmn brands list"))
def list_brands() -> None:
    """Yours, newest first."""

    async def fetch() -> list[Brand]:
        async with open_client() as client:
            return await all_brands(client)

    found = run(fetch())
    if console.json:
        console.document({"brands": found})
        return
    if not found:
        console.say("No brands yet.")
        console.next_step('bmn generate logos --brand "Acme Coffee"')
        return
    columns = (
        Column("BRAND", drop=1),
        Column("NAME", flexible=True),
        Column("STYLE", drop=2),
        Column("COLORS", drop=3),
        Column("MADE"),
    )
    rows = [
        (
            brand.id,
            brand.name,
            brand.logo_style or "",
            " ".join(brand.color_palette or ()),
            listed(brand.created_at),
        )
        for brand in found
    ]
    console.table(columns, rows)
    console.next_step(f"bmn brands show {last_word(found[0].name)}")


@app.command(cls=examples('bmn brands show "Acme Coffee"'))
def show(
    brand: Annotated[str, typer.Argument(help="Its name or id; of another user's, its id.")], reveal: Reveal = None
) -> None:
    """A brand, and how many pictures it has."""

    async def fetch() -> tuple[Brand, list[Asset]]:
        async with open_client(role="admin" if reveal else "user") as client:
            record = await find_brand(client, brand, reveal=reveal)
            return record, await of_brand(client, record.id, reveal=reveal)

    record, assets = run(fetch())
    if console.json:
        console.document({**record.wire(), "assets": assets})
        return
    kinds = [asset.type for asset in assets]
    fields = {
        "Brand": record.name,
        "Id": record.id,
        "Style": record.logo_style,
        "Colors": " ".join(record.color_palette or ()),
        "Vision": record.vision,
        "Archetype": record.archetype,
        "Status": record.status,
        "Made": f"{local(record.created_at)}  ({ago(record.created_at)})",
        "Has": ", ".join(count(kinds.count(kind), kind.replace("_", " ")) for kind in dict.fromkeys(kinds))
        or "nothing yet",
    }
    for name, value in fields.items():
        if value:
            console.field(name, value)
    if reveal:
        console.next_step(f"bmn jobs list --everyone --brand {record.id}")
        return
    verb = "logos list" if assets else "generate logos"
    console.next_step(f"bmn {verb} --brand {shlex.quote(record.name)}")
