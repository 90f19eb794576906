"""Products, credits and costs."""

import time
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import RootModel

from bmn.broker import redis_keys
from bmn.broker.cache import cached
from bmn.db.accounts import credit_store
from bmn.db.engine import Connection
from bmn.db.library import product_store
from bmn.db.records import Cost, LedgerRow
from bmn.db.sums import spending
from bmn.schemas import documents
from bmn.server.access.asking import AskingRoute
from bmn.server.access.dependencies import Caller, Res
from bmn.server.access.refusals import ANY_CALLER, refusals
from bmn.server.access.scope import OfEveryone, OfUser, scope_of
from bmn.server.answers import operator_views, views
from bmn.server.state.resources import Resources

router = APIRouter(prefix="/api/v1", tags=["records"], responses=ANY_CALLER, route_class=AskingRoute)


Catalogue = RootModel[list[documents.Product]]
"""The products in the cache."""


@router.get("/products")
async def list_products(res: Res, principal: Caller) -> documents.Products:
    """The catalogue of products that a logo can be put on."""

    async def load() -> Catalogue:
        return Catalogue([views.product(row) for row in await res.core.db.read(product_store.catalogue)])

    found = await cached(res.core.redis, redis_keys.CACHE_PRODUCTS, redis_keys.CACHE_PRODUCTS_SECONDS, Catalogue, load)
    return documents.Products(products=found.root)


@router.get("/credits")
async def show_credits(
    res: Res,
    principal: Caller,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(max_length=18, pattern=r"^[0-9]+$")] = None,
) -> documents.Credits:
    """The balance, and a page of the movements behind it, newest first.

    remaining: can be spent. reserved: held by running jobs, given back where they do not deliver.
    """
    return await account(res, principal.user_id, limit=limit, before=int(cursor) if cursor else None)


async def account(res: Resources, user_id: str, *, limit: int = 100, before: int | None = None) -> documents.Credits:
    """A user's balance, and what moved it. Raises NotFound for one who was never seen."""

    def read(conn: Connection) -> tuple[credit_store.CreditsRow, list[LedgerRow]]:
        found = credit_store.ledger(conn, user_id, limit=limit + 1, before=before)
        return credit_store.balance(conn, user_id), found

    balance, movements = await res.core.db.read(read)
    shown = movements[:limit]
    return documents.Credits(
        user_id=user_id,
        credits_remaining=balance.remaining,
        credits_reserved=balance.reserved,
        credits_used=balance.used,
        ledger=[views.ledger_entry(row) for row in shown],
        next_cursor=str(shown[-1].id) if len(movements) > limit else None,
    )


@router.get("/costs", responses=refusals(404))
async def show_costs(
    res: Res,
    principal: Caller,
    by: spending.CostsBy = "kind",
    since: Annotated[float | None, Query(gt=0, description="seconds ago at most")] = None,
    user: OfUser = None,
    everyone: OfEveryone = False,
) -> documents.Costs:
    """What providers charged. Users see their own, admins everybody's with `all`, or one user's."""
    user_id = await scope_of(res, principal, user, everyone=everyone or (by == "user" and user is None))
    start = time.time() - since if since else None

    def read(conn: Connection) -> tuple[list[Cost], list[Cost], dict[str, float], int]:
        return (
            spending.costs(conn, by, user_id=user_id, since=start),
            spending.costs(conn, "provider", user_id=user_id, since=start),  # of all, not of the dearest two hundred
            spending.expected(conn, "user" if user_id or by == "user" else "kind", user_id=user_id, since=start),
            spending.credits_charged(conn, user_id=user_id, since=start),
        )

    rows, totals, expected, charged = await res.core.db.read(read)
    total = sum(row.usd for row in totals if not row.sandboxed)
    sandboxed = sum(row.usd for row in totals if row.sandboxed)
    return documents.Costs(
        by=by,
        rows=[operator_views.cost_row(row, expected.get(row.key)) for row in rows],
        total_usd=round(total, 6),
        sandboxed_usd=round(sandboxed, 6),
        usd_estimated=round(sum(expected.values()), 6),
        credits_charged=charged,
    )
