"""`bmn generate kit`: a whole brand, or one for each row of a file."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from bmn.cli.base import UsageError
from bmn.cli.order import Body
from bmn.cli.shared import check_end
from bmn.cli.terminal.params import FILE, LOOK, WATCH, Bell, Exec, Images, Out, Strict, brand_name, color, span
from bmn.schemas.generators.bundles import CompositionStyle
from bmn.schemas.generators.videos import VideoStyle
from bmn.schemas.kit_requests import Part
from bmn.schemas.look import LogoStyle

if TYPE_CHECKING:
    from bmn.client import Client

_PARTS = "Its bundle and its film"

From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        exists=True,
        dir_okay=False,
        metavar="FILE",
        help="One for each row of this .csv or .jsonl file: brand, style, colors (navy;#F2E8DC), vision, count, ...",
        rich_help_panel=FILE,
    ),
]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results",
        dir_okay=False,
        metavar="FILE",
        help="With --from: where to; FILE.results.jsonl.",
        rich_help_panel=FILE,
    ),
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="With --from: do not ask.", rich_help_panel=FILE)]


def _part(text: str) -> str:
    """Raises ValueError for what a kit always makes."""
    if text not in get_args(Part):
        raise ValueError(f"{text!r} is not one of {', '.join(get_args(Part))}")
    return text


Brand = Annotated[
    str | None, typer.Option("--brand", parser=brand_name, metavar="NAME", help="Name or id; a new one is made.")
]
Pick = Annotated[
    int | None, typer.Option(min=1, max=8, metavar="N", help="Go on with this logo; else it waits for your pick.")
]
Count = Annotated[int | None, typer.Option(min=1, max=8, metavar="N", help="How many logos; 4.")]
Products = Annotated[
    list[str] | None,
    typer.Option("--product", metavar="NAME", help="Repeatable; a mug, a T-shirt and a tote bag, if none is named."),
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", parser=_part, metavar="bundle|video", help="Leave this out; repeatable."),
]
Style = Annotated[LogoStyle | None, typer.Option(help="How the logos look; else the brand's own look.")]
Colors = Annotated[
    list[str] | None,
    typer.Option("--color", parser=color, metavar="COLOR", help="#5A3825 or navy; up to 8, the palette."),
]
Vision = Annotated[str | None, typer.Option(metavar="TEXT", help="What the brand stands for.", rich_help_panel=LOOK)]
Archetype = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Its character: explorer, sage, jester, ...", rich_help_panel=LOOK),
]
Bundle = Annotated[str | None, typer.Option(metavar="TEXT", help="What the bundle is called.", rich_help_panel=_PARTS)]
BundleStyle = Annotated[
    CompositionStyle | None, typer.Option(help="How the products stand together.", rich_help_panel=_PARTS)
]
FilmStyle = Annotated[VideoStyle | None, typer.Option(help="What happens in the film.", rich_help_panel=_PARTS)]
Duration = Annotated[
    int | None,
    typer.Option(min=3, max=10, metavar="SECONDS", help="How long the video is; 8.", rich_help_panel=_PARTS),
]
Detach = Annotated[bool, typer.Option("--detach", help="Print the kit's id and return.", rich_help_panel=WATCH)]
DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Show what it comes to, step by step; submit nothing.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        parser=span, metavar="SPAN", help="Stop watching after this long; it goes on. Exit 124.", rich_help_panel=WATCH
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", metavar="KEY", help="The same key and options begin one kit.", rich_help_panel=WATCH
    ),
]


def kit(
    brand: Brand = None,
    pick: Pick = None,
    count: Count = None,
    products: Products = None,
    without: Without = None,
    style: Style = None,
    colors: Colors = None,
    vision: Vision = None,
    archetype: Archetype = None,
    bundle: Bundle = None,
    bundle_style: BundleStyle = None,
    video_style: FilmStyle = None,
    duration: Duration = None,
    source: From = None,
    results: Results = None,
    yes: Yes = False,
    out: Out = None,
    detach: Detach = False,
    dry_run: DryRun = False,
    timeout: Timeout = None,
    idempotency_key: Key = None,
    strict: Strict = False,
    images: Images = None,
    bell: Bell = False,
    command: Exec = None,
) -> int:
    """Makes a whole brand: logos, a pick, mockups, a bundle, a video."""
    if (brand is None) == (source is None):
        raise UsageError("Name a brand with --brand, or a file of them with --from.")
    check_end(detach=detach, out=out, afterwards=bell or command is not None)
    body: Body = {
        "pick": pick,
        "count": count,
        "without": without or None,
        "logoStyle": style,
        "colorPalette": colors,
        "brandVision": vision,
        "archetype": archetype,
        "bundleName": bundle,
        "compositionStyle": bundle_style,
        "videoStyle": video_style,
        "durationSeconds": duration,
    }
    body = {name: value for name, value in body.items() if value is not None}
    if source is not None:
        from bmn.cli.following.batch import BatchOrder, make_batch

        if idempotency_key:
            raise UsageError("With --from each row has a key of its own: leave out --idempotency-key.")
        if bell or command or strict:
            raise UsageError("--strict, --bell and --exec are for one --brand: with --from, --results has it all.")
        named = {**body, **({"products": products} if products else {})}
        return make_batch(
            BatchOrder("kit", source, results, named, yes=yes, detach=detach, dry_run=dry_run, timeout=timeout, out=out)
        )

    from bmn.cli.following.after import Afterwards
    from bmn.cli.following.one_kit import KitOptions, make_kit

    async def build(client: "Client") -> Body:
        return {**body, **await _products(client, products or [])}

    key = idempotency_key or uuid.uuid4().hex
    assert brand is not None
    after = Afterwards(bell, command)
    return make_kit(KitOptions(brand, build, key, detach, dry_run, timeout, strict, out, images, after))


async def _products(client: "Client", names: list[str]) -> Body:
    from bmn.cli.lookup.product_lookup import find_products

    found = await find_products(client, names) if names else []
    return {"products": [product.slug for product in found]} if found else {}
