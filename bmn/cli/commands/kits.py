"""`bmn kits`: whole brands, made step by step: list, show, watch, pick, cancel."""

from typing import Annotated

import typer

from bmn.cli.base import examples, group, run
from bmn.cli.following import kit_watch
from bmn.cli.following.hidden import say_hidden
from bmn.cli.following.kit_files import Delivered, deliver
from bmn.cli.following.output_files import make_folder
from bmn.cli.lookup.asset_lookup import find_asset, numbered
from bmn.cli.lookup.brand_lookup import find_brand
from bmn.cli.lookup.group_lookup import find_kit
from bmn.cli.lookup.selection import Everyone
from bmn.cli.lookup.server_lookup import open_client
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console
from bmn.cli.terminal.image_support import mode
from bmn.cli.terminal.params import Images, Out, Reason, Reveal, span
from bmn.cli.terminal.record_format import short_id
from bmn.cli.terminal.timespan import listed
from bmn.client import Client
from bmn.errors import NotFound
from bmn.numbers import is_whole
from bmn.redaction import HIDDEN
from bmn.schemas.documents import Asset, Kit, KitPage

KitName = Annotated[str, typer.Argument(metavar="KIT")]
_KIT_HELP = "A kit is named by 4 or more characters of its id, or `last`."

app = group(
    f"Whole brands, ordered step by step by the server itself. {_KIT_HELP}",
    "bmn kits list",
    "bmn kits watch last",
    "bmn kits pick 2",
    "bmn kits cancel 7f3a",
)
_COLUMNS = (
    Column("KIT"),
    Column("STATE"),
    Column("STEP"),
    Column("BRAND", flexible=True, least=6),
    Column("CREDITS", right=True, drop=2),
    Column("BEGUN", drop=1),
    Column("MESSAGE", flexible=True, least=24, drop=3),
)


@app.command("list", cls=examples("bmn kits list", "bmn kits list --state picking"))
def list_kits(
    state: Annotated[kit_watch.KitWord | None, typer.Option(help="Only these.")] = None,
    brand: Annotated[str | None, typer.Option("--brand", metavar="NAME", help="Only of this brand.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, metavar="N")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Where the page before ended.")] = None,
) -> None:
    """The newest first."""

    async def fetch() -> KitPage:
        async with open_client() as client:
            brand_id = (await find_brand(client, brand)).id if brand else None
            return await client.kits(brand=brand_id, state=state, limit=limit, cursor=cursor)

    page = run(fetch())
    if console.json:
        console.document(page)
        return
    if not page.kits:
        console.say("No kits.")
        console.next_step('bmn generate kit --brand "Acme Coffee"')
        return
    console.table(_COLUMNS, [_row(kit) for kit in page.kits])
    if page.next_cursor:
        console.hint(f"The next page: --cursor {page.next_cursor}")
    waits = next((kit for kit in page.kits if kit.state in ("picking", "held")), None)
    console.next_step(
        *(kit_watch.next_steps(waits) if waits else (f"bmn kits show {short_id(page.kits[0].group_id)}",))
    )


def _row(kit: Kit) -> list[Cell]:
    human = console.width is not None
    return [
        short_id(kit.group_id) if human else kit.group_id,
        kit.state,
        kit.step,
        kit.brand_name or kit.brand_id,
        f"{kit.credits_charged}/{kit.credits_estimated}",
        listed(kit.created_at),
        kit.message,
    ]


@app.command("show", cls=examples("bmn kits show last", "bmn kits show 7f3a --json"))
def show_kit(kit: KitName, everyone: Everyone = False, reveal: Reveal = None) -> None:
    """A kit, its steps and their jobs. Another user's is named by its whole id."""

    async def fetch() -> Kit:
        async with open_client(role="admin" if everyone or reveal else "user") as client:
            return await find_kit(client, kit, reveal=reveal)

    found = run(fetch())
    if console.json:
        console.document(found)
        return
    kit_watch.show(found)
    hidden = found.brand_name == HIDDEN
    say_hidden(hidden)
    of_others = (f"bmn jobs list --everyone --group {found.group_id}",)
    console.next_step(*(of_others if hidden or reveal else kit_watch.next_steps(found)))


@app.command("watch", cls=examples("bmn kits watch last", "bmn kits watch 7f3a --timeout 10m"))
def watch_kit(
    kit: KitName,
    timeout: Annotated[
        float | None,
        typer.Option(parser=span, metavar="SPAN", help="Stop watching after this long; it goes on. Exit 124."),
    ] = None,
    out: Out = None,
    images: Images = None,
) -> int:
    """Shows its steps until it is done, or waits for somebody. Ctrl-C leaves it running."""
    found: list[Kit] = []
    made: list[Delivered] = []
    if out:
        make_folder(out)
    mode(images)

    async def follow() -> None:
        async with open_client() as client:
            found.append(await find_kit(client, kit))
            found.append(await kit_watch.watch(client, found[0], timeout=timeout))
            made.append(await deliver(client, found[-1], out, images))

    try:
        run(follow())
    except KeyboardInterrupt:
        if not found:
            raise
        return kit_watch.left_alone(found[-1])
    return kit_watch.report(found[-1], made[0])


@app.command("pick", cls=examples("bmn kits pick 2", "bmn kits pick 2 --kit 7f3a"))
def pick(
    logo: Annotated[str, typer.Argument(help="Its number among the kit's logos, or an asset's id.")],
    kit: Annotated[str | None, typer.Option("--kit", metavar="KIT", help="Which kit; the newest that waits.")] = None,
) -> None:
    """Picks the logo that a kit waits for; it goes on by itself."""

    async def act() -> Kit:
        async with open_client() as client:
            found = await _waiting(client, kit)
            return await client.pick(found.group_id, (await _logo(client, found, logo)).id)

    found = run(act())
    if console.json:
        console.document(found)
    else:
        console.answer(f"{short_id(found.group_id)}  {found.message}")
    console.next_step(f"bmn kits watch {short_id(found.group_id)}")


async def _waiting(client: Client, name: str | None) -> Kit:
    """The kit that is meant, by default the newest that waits for a pick. Raises NotFound."""
    if name:
        return await find_kit(client, name)
    waiting = (await client.kits(state="picking", limit=1)).kits
    if not waiting:
        raise NotFound("No kit waits for a pick.", hint="`bmn kits list` shows yours.")
    return waiting[0]


async def _logo(client: Client, kit: Kit, reference: str) -> Asset:
    """A logo of the kit by its number, else one of the brand's by whatever names it."""
    if not is_whole(reference):
        return await find_asset(client, kit.brand_id, reference)
    made = [job.job_id for step in kit.steps if step.step == "logos" for job in step.jobs]
    logos = [asset for job_id in made for asset in numbered((await client.job(job_id)).assets)]
    if 1 <= int(reference) <= len(logos):
        return logos[int(reference) - 1]
    raise NotFound(f"There is no logo {reference} in this kit.", hint=f"It has {len(logos)}.")


@app.command("cancel", cls=examples("bmn kits cancel 7f3a", "bmn kits cancel last --reason 'wrong name'"))
def cancel(kit: KitName, reason: Reason = None) -> int:
    """Ends it: nothing more is ordered. What is finished or ordered is kept and charged, the rest comes back."""

    async def act() -> Kit:
        async with open_client() as client:
            return await client.cancel_kit((await find_kit(client, kit)).group_id, reason=reason)

    found = run(act())
    if console.json:
        console.document(found)
    else:
        console.answer(f"{short_id(found.group_id)}  {found.message}")
    console.next_step(f"bmn kits show {short_id(found.group_id)}")
    return exit_codes.DONE
