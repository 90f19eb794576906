"""What selling a product brings in. Pure arithmetic, so that no model has to guess it."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from bmn.db.records import ProductRow
from bmn.errors import Cause, JobFailure
from bmn.schemas.base import Outbound

_FEE_SHARE, _FEE_FIXED = 0.029, 0.30  # what a card payment usually costs: a share, and US dollars


class ProfitQuestion(BaseModel):
    """unit_price, unit_cost: US dollars a piece; the catalogue's cost where none is given. units: pieces a month."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    product: str = Field(min_length=1, max_length=200)
    unit_price: float = Field(gt=0, le=100_000)
    units: int = Field(100, ge=1, le=10_000_000)
    unit_cost: float | None = Field(None, ge=0, le=100_000)
    fixed_costs: float = Field(0, ge=0, le=100_000_000, description="US dollars a month")


class Profit(Outbound):
    """Figures a month, in US dollars. break_even_units: None where no number of pieces would do."""

    product: str
    unit_price: float
    unit_cost: float
    payment_fee: float
    margin_per_unit: float
    margin_percent: float
    revenue: float
    profit: float
    break_even_units: int | None


def find_product(catalogue: Sequence[ProductRow], wanted: str) -> ProductRow | None:
    """The product that somebody means: by its name or slug, else the one whose name is in their words."""
    lowered = wanted.strip().lower()
    exact = [row for row in catalogue if lowered in (row.name.lower(), row.slug)]
    named = [row for row in catalogue if row.name.lower() in lowered or row.slug.replace("-", " ") in lowered]
    return next(iter(exact or sorted(named, key=lambda row: -len(row.name))), None)


def profit(question: ProfitQuestion, catalogue: Sequence[ProductRow]) -> Profit:
    """Works it out. Raises JobFailure(BAD_INPUT) where nobody says what a piece costs."""
    cost = question.unit_cost
    if cost is None:
        product = find_product(catalogue, question.product)
        if product is None:
            raise JobFailure(Cause.BAD_INPUT, f"{question.product} is not in the catalogue; give its unit_cost.")
        cost = product.base_cost_usd
    fee = question.unit_price * _FEE_SHARE + _FEE_FIXED
    margin = question.unit_price - cost - fee
    total = margin * question.units - question.fixed_costs
    return Profit(
        product=question.product,
        unit_price=round(question.unit_price, 2),
        unit_cost=round(cost, 2),
        payment_fee=round(fee, 2),
        margin_per_unit=round(margin, 2),
        margin_percent=round(100 * margin / question.unit_price, 1),
        revenue=round(question.unit_price * question.units, 2),
        profit=round(total, 2),
        break_even_units=int(-(-question.fixed_costs // margin)) if margin > 0 else None,
    )
