"""The wizard's tools: all that its model can do. Each checks its own arguments and belongs to the job's user and brand.

A tool either answers with facts or raises what `refusal_of` knows; the model reads why, and the job goes on.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from bmn.db.library import asset_store, brand_store, product_store
from bmn.errors import BmnError, Cause, JobFailure, TryLater
from bmn.providers.fetch import Fetcher
from bmn.providers.visited_addresses import check_url
from bmn.schemas.base import Name, Palette
from bmn.schemas.look import LogoStyle, differing, told
from bmn.schemas.wording import flaws
from bmn.work.wizard.desk import Answer, Arguments, Desk, Line, Paragraph, refused
from bmn.work.wizard.page_text import page_words
from bmn.work.wizard.profit import ProfitQuestion, profit
from bmn.work.wizard.starts import (
    Bundle,
    Logos,
    Mockups,
    Refinement,
    start_bundle,
    start_logos,
    start_mockups,
    start_refinement,
)
from bmn.work.wizard.step_prompts import GUIDE, fenced_page

_MOST_ASSETS = 30
_MOST_PAGES = 3  # a job may look at


class NoArguments(Arguments):
    pass


class PageAddress(Arguments):
    url: Annotated[str, StringConstraints(max_length=2048)]


class SuggestedNames(Arguments):
    names: Annotated[list[Name], Field(min_length=1, max_length=8)]
    reason: Paragraph | None = None


class SuggestedPalette(Arguments):
    name: Line
    colors: Palette


class SuggestedPalettes(Arguments):
    palettes: Annotated[list[SuggestedPalette], Field(min_length=1, max_length=6)]


class BrandFields(Arguments):
    """What the model may write down of a brand; its name stays the user's."""

    vision: Paragraph | None = None
    archetype: Line | None = None
    color_palette: Palette | None = None
    logo_style: LogoStyle | None = None
    tagline: Line | None = None
    voice: Line | None = None
    audience: Line | None = None
    values: Annotated[list[Line], Field(max_length=10)] | None = None
    notes: Paragraph | None = None


_COLUMNS = ("vision", "archetype", "color_palette", "logo_style")


@dataclass(frozen=True, slots=True)
class Tool:
    """run: gets the desk, the checked arguments and the id of the call, which makes a repetition harmless."""

    name: str
    description: str
    arguments: type[BaseModel]
    run: Callable[[Desk, Any, str], Awaitable[Any]]

    def schema(self) -> dict[str, object]:
        """What the model is told of its arguments."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.arguments.model_json_schema(),
        }


async def _read_brand(desk: Desk, _arguments: NoArguments, _call_id: str) -> Answer:
    brand = await desk.brand()
    rows, _ = await desk.ctx.db.read(lambda conn: asset_store.list_of_brand(conn, desk.brand_id, limit=_MOST_ASSETS))
    pictures = [{"id": row.id, "type": row.asset_type, "selected": row.is_selected} for row in rows]
    settled = await desk.settled()
    return {
        "brandName": brand.name,
        "vision": brand.vision,
        "archetype": settled.archetype,
        "colorPalette": settled.color_palette,
        "logoStyle": settled.logo_style,
        "saved": {name: value for name, value in brand.details.items() if name != "steps"},
        "pictures": pictures,
    }


async def _look_at_page(desk: Desk, arguments: PageAddress, _call_id: str) -> str:
    _require_named(arguments.url, desk.hosts)
    looked = desk.state.pages
    if arguments.url not in looked and len(looked) >= _MOST_PAGES:
        raise refused(f"At most {_MOST_PAGES} pages may be looked at.")
    looked.append(arguments.url)
    page = await Fetcher(desk.ctx.settings).fetch(arguments.url, kind="page")
    _require_named(page.url, desk.hosts)
    return fenced_page(page.url, await asyncio.to_thread(page_words, page.data))


def _require_named(url: str, hosts: frozenset[str]) -> None:
    """Raises JobFailure unless the user has named the page's host, or one above it."""
    host = check_url(url).host
    bases = {named.removeprefix("www.") for named in hosts}
    if not any(host == base or host.endswith(f".{base}") for base in bases):
        raise refused("Only pages of hosts that the user has named may be looked at.")


async def _suggest_names(desk: Desk, arguments: SuggestedNames, _call_id: str) -> Answer:
    desk.state.suggestions["names"] = arguments.names
    return {"noted": len(arguments.names)}


async def _suggest_palettes(desk: Desk, arguments: SuggestedPalettes, _call_id: str) -> Answer:
    palettes = [palette.model_dump() for palette in arguments.palettes]
    desk.state.suggestions["palettes"] = palettes
    return {"noted": len(palettes)}


async def _save_brand(desk: Desk, arguments: BrandFields, _call_id: str) -> Answer:
    given = arguments.model_dump(exclude_none=True)
    if not given:
        raise refused("There is nothing to save.")
    settled = await desk.settled()
    other = differing(settled, given)
    if other and desk.ctx.payload.look != "change":
        # The look is the owner's: they are told what it would become, and say so themselves.
        desk.state.proposed = {to_camel(name): value for name, value in other.items()}
        desk.state.proposal = told(settled, other)
        given = {name: value for name, value in given.items() if name not in other}
    if not given:
        return {"saved": [], **_asked(desk)}
    columns = {name: value for name, value in given.items() if name in _COLUMNS}
    details = {name: value for name, value in given.items() if name not in _COLUMNS}
    await desk.change_brand(
        lambda conn: brand_store.merge(conn, desk.brand_id, desk.user_id, columns, details),
        {to_camel(name): value for name, value in given.items()},
    )
    return {"saved": sorted(given), **(_asked(desk) if other and desk.state.proposal else {})}


def _asked(desk: Desk) -> Answer:
    """What the model is told of a look that was not saved."""
    return {"notSaved": desk.state.proposal, "why": "The brand keeps its look; the user is asked: keep or change."}


async def _list_products(desk: Desk, _arguments: NoArguments, _call_id: str) -> list[Answer]:
    rows = await desk.ctx.db.read(product_store.catalogue)
    return [{"name": row.name, "category": row.category, "unitCost": row.base_cost_usd} for row in rows]


async def _estimate_profit(desk: Desk, arguments: ProfitQuestion, _call_id: str) -> Answer:
    answer = profit(arguments, await desk.ctx.db.read(product_store.catalogue)).model_dump(by_alias=True)
    desk.state.profits[arguments.product] = answer
    return answer


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("read_brand", "Reads the brand's record and what pictures it has.", NoArguments, _read_brand),
        Tool(
            "look_at_page",
            "Reads the words of one public page whose address the user has given. https only.",
            PageAddress,
            _look_at_page,
        ),
        Tool("suggest_names", "Shows the user names to choose from.", SuggestedNames, _suggest_names),
        Tool("suggest_palettes", "Shows the user palettes to choose from.", SuggestedPalettes, _suggest_palettes),
        Tool("save_brand", "Writes fields of the brand's record.", BrandFields, _save_brand),
        Tool(
            "list_products",
            "Lists the products a logo can be put on, with their cost in US dollars.",
            NoArguments,
            _list_products,
        ),
        Tool("estimate_profit", "Works out revenue, cost and profit of one product.", ProfitQuestion, _estimate_profit),
        Tool("start_logos", "Starts new logos; each costs the user a credit.", Logos, start_logos),
        Tool(
            "refine_logo",
            "Starts a changed version of a logo; it costs the user a credit.",
            Refinement,
            start_refinement,
        ),
        Tool(
            "start_mockups", "Starts pictures of products with the logo; each costs a credit.", Mockups, start_mockups
        ),
        Tool("start_bundle", "Starts one picture of several mockups together; it costs credits.", Bundle, start_bundle),
    )
}


def tools_of(step: str, hosts: frozenset[str]) -> list[Tool]:
    """All that the model may use in a step. Without an address from the user there is no page to look at."""
    return [TOOLS[name] for name in GUIDE[step].tools if name != "look_at_page" or hosts]


def refusal_of(error: Exception) -> str | None:
    """What the model is told of an error that it may go on after; None for one that ends the attempt."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{flaw.where or 'arguments'} {flaw.words}" for flaw in flaws(error)[:5])
    if isinstance(error, TimeoutError):
        return "It took too long."
    if isinstance(error, TryLater) or not isinstance(error, BmnError):
        return None
    if isinstance(error, JobFailure) and error.cause not in (Cause.BAD_INPUT, Cause.DOWNLOAD_FAILED):
        return None
    return error.message


def named_hosts(given: Mapping[str, Any]) -> frozenset[str]:
    """The hosts of the https addresses in the user's input."""
    stack: list[Any] = [given]
    hosts: set[str] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack += node.values()
        elif isinstance(node, list):
            stack += node
        elif isinstance(node, str):
            hosts |= _hosts_in(node)
    return frozenset(hosts)


def _hosts_in(text: str) -> set[str]:
    return {found[1].lower() for found in re.finditer(r"https://([A-Za-z0-9.-]+)(?=[/:?#\s\"')\]]|$)", text)}
