"""`bmn generate`: submit, watch live, look, save. Five commands that differ in the body they build."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from bmn.cli.base import Group
from bmn.cli.terminal.params import BRAND_NAME, COLOR
from bmn.cli.terminal.timespan import Span

Body = dict[str, Any]
Builder = Callable[["Any", dict[str, Any]], Awaitable[Body]]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Options:
    """What every generator takes. timeout: seconds. images: a mode of `bmn.cli.following.pictures`, None detects.

    record: what a new brand is made of, beside its name. refines: it starts from a picture of the brand.
    """

    brand: str
    out: Path | None
    detach: bool
    dry_run: bool
    timeout: float | None
    strict: bool
    idempotency_key: str
    images: str | None
    record: Body = field(default_factory=dict)
    refines: bool = False


def _shared(command: F) -> F:
    """The options of all generators; the command gets them as one `Options`."""
    options = (
        click.option(
            "--brand",
            required=True,
            callback=BRAND_NAME,
            metavar="NAME",
            help="Name or id; logos and wizard make a new one.",
        ),
        click.option(
            "-o",
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Write the files there.",
        ),
        click.option("--detach", is_flag=True, help="Print the job id and return."),
        click.option("-n", "--dry-run", is_flag=True, help="Show prompts, credits, cost and time; submit nothing."),
        click.option("--timeout", type=Span(), help="Stop watching after this long (5m); the job goes on. Exit 124."),
        click.option("--strict", is_flag=True, help="Exit 9 where only a part was delivered."),
        click.option("--idempotency-key", metavar="KEY", help="The same key and options make one job, for 24 h."),
        click.option("--images", metavar="HOW", help="auto, kitty, iterm, sixel, blocks or none."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _options(values: dict[str, Any]) -> Options:
    taken = {name: values.pop(name) for name in Options.__dataclass_fields__ if name in values}
    if taken["detach"] and taken["out"]:
        raise click.UsageError("--detach returns before there are files: leave --out away, or watch the job.")
    taken["idempotency_key"] = taken["idempotency_key"] or uuid.uuid4().hex
    return Options(**taken)


def _make(kind: str, noun: str, build: Builder, values: Options) -> int:
    from bmn.cli.following.making import make

    return make(kind, noun, build, values)


@click.group(
    cls=Group,
    examples=(
        'bmn generate logos --brand "Acme Coffee" --style vintage --color "#5A3825" --out logos/',
        'bmn generate logos --brand "Acme Coffee" --refine 2 --notes "thicker lines"',
        'bmn generate mockups --brand "Acme Coffee" --product mug --product tote',
        'bmn generate logos --brand "Acme Coffee" --dry-run',
    ),
)
def generate() -> None:
    """Makes logos, mockups, bundles, videos and wizard steps, and shows them as they arrive."""


@generate.command(
    examples=(
        'bmn generate logos --brand "Acme Coffee"',
        'bmn generate logos --brand "Acme Coffee" --style bold --color "#5A3825" --color "#F2E8DC" --count 6',
        'bmn generate logos --brand "Acme Coffee" --refine 2 --notes "thicker lines"',
    )
)
@_shared
@click.option("--style", type=click.Choice(["minimal", "bold", "vintage", "modern", "playful"]))
@click.option(
    "--color", "colors", multiple=True, callback=COLOR, metavar="HEX", help="A colour of the palette; up to 8 times."
)
@click.option("--vision", metavar="TEXT", help="What the brand stands for.")
@click.option("--archetype", metavar="TEXT", help="Its character: explorer, sage, jester, ...")
@click.option("--count", type=click.IntRange(1, 8), default=4, show_default=True, help="How many pictures.")
@click.option("--refine", metavar="ASSET", help="Start from this logo: its number, its id, or JOB/2.")
@click.option("--notes", metavar="TEXT", help="What to change (with --refine).")
def logos(**values: Any) -> int:
    """Makes logos for a brand."""
    options = _options(values)
    if values["notes"] and not values["refine"]:
        raise click.UsageError("--notes says what to change about a logo: name it with --refine.")
    look = {"logoStyle": values["style"], "colorPalette": list(values["colors"]) or None}
    record = {**look, "vision": values["vision"], "archetype": values["archetype"]}
    record = {name: value for name, value in record.items() if value is not None}
    options = replace(options, record=record, refines=bool(values["refine"]))

    async def build(client: Any, brand: dict[str, Any]) -> Body:
        from bmn.cli.lookup.assets import find_asset

        body = {
            **look,
            "brandId": brand["id"],
            "brandName": None if brand["id"] else brand["name"],
            "brandVision": values["vision"],
            "archetype": values["archetype"],
            "count": values["count"],
        }
        if values["refine"]:
            asset = await find_asset(client, brand["id"], values["refine"])
            body |= {"isRefinement": True, "previousLogoUrl": asset["url"], "refinementNotes": values["notes"]}
        return body

    return _make("logos", "logo", build, options)


@generate.command(examples=('bmn generate mockups --brand "Acme Coffee" --product mug --product t-shirt',))
@_shared
@click.option(
    "--product", "products", multiple=True, metavar="NAME", help="`bmn generate products` has them; else a mug."
)
@click.option("--logo", metavar="ASSET", help="Which logo; the selected or newest one by default.")
@click.option("--notes", metavar="TEXT", help="How it should look.")
def mockups(**values: Any) -> int:
    """Puts the logo on products."""
    options = _options(values)

    async def build(client: Any, brand: dict[str, Any]) -> Body:
        from bmn.cli.lookup.ingredients import find_products, logo_of

        logo = await logo_of(client, brand, values["logo"])
        products = await find_products(client, values["products"] or ("mug",))
        return {
            "brandId": brand["id"],
            "logoUrl": logo["url"],
            "products": [
                {
                    "productId": product["id"],
                    "productName": product["name"],
                    "productCategory": product["category"],
                    **({"mockupInstructions": values["notes"]} if values["notes"] else {}),
                }
                for product in products
            ],
        }

    return _make("mockups", "mockup", build, options)


@generate.command(examples=('bmn generate bundle --brand "Acme Coffee" --name "Morning set" --style flatlay',))
@_shared
@click.option("--name", default="Starter bundle", show_default=True, help="What the bundle is called.")
@click.option("--mockup", "mockups", multiple=True, metavar="ASSET", help="2 to 10; the newest ones by default.")
@click.option("--style", type=click.Choice(["grid", "lifestyle", "flatlay", "showcase"]))
def bundle(**values: Any) -> int:
    """Arranges mockups in one picture."""
    options = _options(values)

    async def build(client: Any, brand: dict[str, Any]) -> Body:
        from bmn.cli.lookup.ingredients import mockups_of

        chosen = await mockups_of(client, brand, values["mockups"])
        return {
            "brandId": brand["id"],
            "bundleName": values["name"],
            "productMockupUrls": [asset["url"] for asset in chosen],
            "compositionStyle": values["style"],
        }

    return _make("bundles", "bundle", build, options)


@generate.command(examples=('bmn generate video --brand "Acme Coffee" --product mug --duration 6',))
@_shared
@click.option("--product", default="mug", show_default=True, metavar="NAME", help="What the video shows.")
@click.option("--mockup", metavar="ASSET", help="Its picture; the newest mockup by default.")
@click.option("--style", type=click.Choice(["showcase", "unboxing", "lifestyle", "minimal"]))
@click.option("--duration", type=click.IntRange(3, 10), default=8, show_default=True, help="Seconds.")
def video(**values: Any) -> int:
    """Makes a short product video."""
    options = _options(values)

    async def build(client: Any, brand: dict[str, Any]) -> Body:
        from bmn.cli.lookup.ingredients import find_products, mockup_of

        [product] = await find_products(client, (values["product"],))
        mockup = await mockup_of(client, brand, values["mockup"], product["name"])
        return {
            "brandId": brand["id"],
            "productName": product["name"],
            "productMockupUrl": mockup["url"],
            "videoStyle": values["style"],
            "durationSeconds": values["duration"],
        }

    return _make("videos", "video", build, options)


@generate.command(
    examples=(
        'bmn generate wizard brand-identity --brand "Acme Coffee" --input audience="early risers"',
        'bmn generate wizard social-analysis --brand "Acme Coffee" --input handle=@acme',
    )
)
@click.argument("step")
@_shared
@click.option("--input", "inputs", multiple=True, metavar="KEY=VALUE", help="What the step should know; repeatable.")
@click.option("--resume", metavar="SESSION", help="Go on with an earlier conversation.")
def wizard(**values: Any) -> int:
    """Runs one step of the brand wizard; the agent's messages stream as they come."""
    options = _options(values)
    pairs = [entry.partition("=") for entry in values["inputs"]]
    if wrong := [key for key, sign, _ in pairs if not (key and sign)]:
        raise click.UsageError(f"--input {wrong[0]}: write it as KEY=VALUE.")

    async def build(_client: Any, brand: dict[str, Any]) -> Body:
        return {
            "brandId": brand["id"],
            "step": values["step"],
            "input": {key: value for key, _, value in pairs},
            "sessionId": values["resume"],
        }

    return _make("wizard", "wizard step", build, options)


@generate.command(examples=("bmn generate products",))
def products() -> int:
    """The catalogue that --product names."""
    from bmn.cli.lookup.ingredients import show_products

    return show_products()
