"""`bmn generate`: submit, watch live, look, save. One command a generator; they differ in the body they build."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from bmn.cli.base import UsageError, examples, group
from bmn.cli.commands import making_kits
from bmn.cli.commands.making_kits import Archetype, Colors, From, Results, Style, Vision, Yes
from bmn.cli.derived import aliased, builder, example, with_fields
from bmn.cli.order import Body, BrandTarget, Builder, Options
from bmn.cli.shared import with_brands, with_shared
from bmn.cli.terminal.params import CHANGE, LOOK
from bmn.schemas.documents import Product
from bmn.schemas.generators import KINDS
from bmn.schemas.generators.bundles import KIND as BUNDLES
from bmn.schemas.generators.bundles import CompositionStyle
from bmn.schemas.generators.logos import KIND as LOGOS
from bmn.schemas.generators.mockups import KIND as MOCKUPS
from bmn.schemas.generators.videos import KIND as VIDEOS
from bmn.schemas.generators.videos import VideoStyle
from bmn.schemas.generators.wizard import KIND as WIZARD
from bmn.schemas.kind import Kind

if TYPE_CHECKING:
    from bmn.client import Client


def _make(kind: Kind, build: Builder, values: Options) -> int:
    from bmn.cli.following.generation import make

    return make(kind, build, values)


Keep = Annotated[
    bool | None,
    typer.Option(
        "--keep/--change",
        help="Whether the brand keeps its own look, or has this one from now on. Asked on a terminal; else it keeps it.",
        show_default=False,
        rich_help_panel=LOOK,
    ),
]

app = group(
    "Makes logos, mockups, bundles, videos and wizard steps, and shows them as they arrive.",
    'bmn generate logos --brand "Acme Coffee" --style vintage --color "#5A3825" --out logos/',
    'bmn generate logos --brand "Acme Coffee" --refine 2 --notes "thicker lines"',
    'bmn generate mockups --brand "Acme Coffee" --product mug --product tote',
    'bmn generate logos --brand "Acme Coffee" --dry-run',
)


@app.command(
    cls=examples(
        'bmn generate logos --brand "Acme Coffee"',
        'bmn generate logos --brand "Acme Coffee" --style bold --color "#5A3825" --color "#F2E8DC" --count 6',
        'bmn generate logos --brand "Acme Coffee" --refine 2 --notes "thicker lines"',
        "bmn generate logos --from brands.csv --count 2",
    )
)
@with_brands
def logos(
    options: Options,
    style: Style = None,
    colors: Colors = None,
    count: Annotated[int, typer.Option(min=1, max=8, metavar="N", help="How many pictures.")] = 4,
    vision: Vision = None,
    archetype: Archetype = None,
    keep: Keep = None,
    refine: Annotated[
        str | None,
        typer.Option(
            metavar="ASSET", help="Start from this logo: its number, its id, or JOB/2.", rich_help_panel=CHANGE
        ),
    ] = None,
    notes: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What to change (with --refine).", rich_help_panel=CHANGE)
    ] = None,
    source: From = None,
    results: Results = None,
    yes: Yes = False,
) -> int:
    """Makes logos for a brand."""
    if notes and not refine:
        raise UsageError("--notes says what to change about a logo: name it with --refine.")
    look = {"logoStyle": style, "colorPalette": colors}
    record = {**look, "vision": vision, "archetype": archetype}
    record = {name: value for name, value in record.items() if value is not None}
    if source is not None:
        from bmn.cli.following.batch import BatchOrder, make_batch

        shared = {**look, "brandVision": vision, "archetype": archetype, "count": count}
        return make_batch(BatchOrder.of("logos", source, results, shared, options, yes=yes, refine=refine))
    options = replace(options, record=record, refines=bool(refine))

    async def build(client: "Client", brand: BrandTarget) -> Body:
        from bmn.cli.following.brand_look import chosen
        from bmn.cli.lookup.asset_lookup import find_asset
        from bmn.cli.lookup.body_lookup import refinement

        asked = {"logo_style": style, "color_palette": colors, "archetype": archetype}
        body: Body = {
            **look,
            "look": await chosen(client, brand, asked, _look_choice(keep), dry_run=options.dry_run),
            "brandId": brand.id or None,
            "brandName": None if brand.id else brand.name,
            "brandVision": vision,
            "archetype": archetype,
            "count": count,
        }
        if refine:
            asset = await find_asset(client, brand.id, refine)
            body |= refinement(asset, notes)
        return body

    return _make(LOGOS, build, options)


app.command(
    "kit",
    cls=examples(
        'bmn generate kit --brand "Acme Coffee"',
        'bmn generate kit --brand "Acme Coffee" --pick 1 --product mug --product tote --without video',
        "bmn generate kit --from brands.csv --pick 1 --dry-run",
    ),
)(making_kits.kit)


@app.command(cls=examples('bmn generate mockups --brand "Acme Coffee" --product mug --product t-shirt'))
@with_shared
def mockups(
    options: Options,
    products: Annotated[
        list[str] | None,
        typer.Option("--product", metavar="NAME", help="`bmn generate products` has them; else a mug."),
    ] = None,
    logo: Annotated[
        str | None, typer.Option(metavar="ASSET", help="Which logo; the selected or newest one by default.")
    ] = None,
    notes: Annotated[str | None, typer.Option(metavar="TEXT", help="How it should look.")] = None,
) -> int:
    """Puts the logo on products."""

    async def build(client: "Client", brand: BrandTarget) -> Body:
        from bmn.cli.lookup.body_lookup import mockups_body

        return await mockups_body(client, brand, products=products or ["mug"], logo=logo, notes=notes)

    return _make(MOCKUPS, build, options)


@app.command(cls=examples('bmn generate bundle --brand "Acme Coffee" --name "Morning set" --style flatlay'))
@with_shared
def bundle(
    options: Options,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What the bundle is called.")] = "Starter bundle",
    mockups: Annotated[
        list[str] | None, typer.Option("--mockup", metavar="ASSET", help="2 to 10; the newest ones by default.")
    ] = None,
    style: Annotated[CompositionStyle | None, typer.Option(help="How the products stand together.")] = None,
) -> int:
    """Arranges mockups in one picture."""

    async def build(client: "Client", brand: BrandTarget) -> Body:
        from bmn.cli.lookup.body_lookup import bundle_body

        return await bundle_body(client, brand, name=name, mockups=mockups or (), style=style)

    return _make(BUNDLES, build, options)


@app.command(cls=examples('bmn generate video --brand "Acme Coffee" --product mug --duration 6'))
@with_shared
def video(
    options: Options,
    product: Annotated[str, typer.Option(metavar="NAME", help="What the video shows.")] = "mug",
    mockup: Annotated[
        str | None, typer.Option(metavar="ASSET", help="Its picture; the newest mockup by default.")
    ] = None,
    style: Annotated[VideoStyle | None, typer.Option(help="What happens in the film.")] = None,
    duration: Annotated[int, typer.Option(min=3, max=10, metavar="SECONDS", help="How long it is.")] = 8,
) -> int:
    """Makes a short product video."""

    async def build(client: "Client", brand: BrandTarget) -> Body:
        from bmn.cli.lookup.body_lookup import video_body

        return await video_body(client, brand, product=product, mockup=mockup, style=style, seconds=duration)

    return _make(VIDEOS, build, options)


@app.command(
    cls=examples(
        'bmn generate wizard brand-identity --brand "Acme Coffee" --input audience="early risers"',
        'bmn generate wizard social-analysis --brand "Acme Coffee" --input handle=@acme',
    )
)
@with_shared
def wizard(
    options: Options,
    step: Annotated[str, typer.Argument()],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="KEY=VALUE", help="What the step should know; repeatable."),
    ] = None,
    resume: Annotated[str | None, typer.Option(metavar="SESSION", help="Go on with an earlier conversation.")] = None,
    keep: Keep = None,
) -> int:
    """Runs one step of the brand wizard; the agent's messages stream as they come."""
    pairs = [entry.partition("=") for entry in inputs or ()]
    if wrong := [key for key, sign, _ in pairs if not (key and sign)]:
        raise UsageError(f"--input {wrong[0]}: write it as KEY=VALUE.")

    async def build(_client: "Client", brand: BrandTarget) -> Body:
        return {
            "brandId": brand.id,
            "step": step,
            "input": {key: value for key, _, value in pairs},
            "sessionId": resume,
            "look": _look_choice(keep),
        }

    return _make(WIZARD, build, replace(options, asks_look=keep is None))


def _look_choice(keep: bool | None) -> str | None:
    """What the API is told; nothing where nothing was said."""
    return None if keep is None else "keep" if keep else "change"


def _derived(kind: Kind) -> None:
    """The command of a generator that needs nothing but its fields: no picture or product has to be looked up."""

    def command(options: Options, **fields: object) -> int:
        return _make(kind, builder(aliased(kind.body, fields)), options)

    app.command(kind.command, cls=examples(example(kind)))(with_shared(with_fields(command, kind)))


for each in KINDS.values():
    if each.command not in {command.callback.__name__ for command in app.registered_commands if command.callback}:
        _derived(each)


@app.command(cls=examples("bmn generate products"))
def products() -> None:
    """The catalogue that --product names."""
    from bmn.cli.base import run
    from bmn.cli.lookup.server_lookup import open_client
    from bmn.cli.terminal.cells import Column
    from bmn.cli.terminal.console import console

    async def fetch() -> list[Product]:
        async with open_client() as client:
            return await client.products()

    found = run(fetch())
    if console.json:
        console.document({"products": found})
        return
    columns = [Column("PRODUCT"), Column("NAME"), Column("CATEGORY", flexible=True)]
    console.table(columns, [(product.slug, product.name, product.category) for product in found])
    console.next_step(f"bmn generate mockups --brand NAME --product {found[0].slug}")
