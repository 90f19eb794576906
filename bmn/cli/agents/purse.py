"""What agents may spend: an amount for each call, and one for as long as their server runs."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from bmn.errors import BmnError, UsageProblem
from bmn.format import count

_AMOUNT = re.compile(r"(?P<dollars>\$\s*)?(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?P<usd>\s*usd)?", re.IGNORECASE)


class OverBudget(BmnError):
    """A submission would cost more than it may."""

    code, http_status, exit_code = "over_budget", 402, 6


@dataclass(frozen=True, slots=True)
class OrderPrice:
    """What a submission comes to: credits of the account, and US dollars that providers charge with their keys."""

    credits: int
    usd: Decimal

    @classmethod
    def of(cls, credits: int, usd: float) -> "OrderPrice":
        """Of an estimate, whose dollars are a float to the millionth."""
        return cls(credits, Decimal(str(round(usd, 6))))

    def __add__(self, other: "OrderPrice") -> "OrderPrice":
        return OrderPrice(self.credits + other.credits, self.usd + other.usd)

    def __str__(self) -> str:
        return f"{count(self.credits, 'credit')} ({_dollars(self.usd)} with the providers' keys)"


NOTHING = OrderPrice(0, Decimal(0))


@dataclass(frozen=True, slots=True)
class Amount:
    """The most that something may cost: whole credits, or US dollars."""

    unit: Literal["credits", "usd"]
    value: Decimal

    @classmethod
    def read(cls, text: str | int) -> "Amount":
        """Of `20`, `$0.50` or `0.50usd`. Raises ValueError."""
        match = _AMOUNT.fullmatch(str(text).strip())
        dollars, number, usd = match.groups() if match else (None, "", None)
        if not number or (dollars and usd):
            raise ValueError(f"{str(text)!r} is not an amount; write 20 for credits, or $0.50 or 0.50usd for dollars")
        value = Decimal(number)
        if dollars or usd:
            return cls("usd", value)
        if value != int(value):
            raise ValueError(f"{str(text)!r} is not a whole number of credits; dollars are written $0.50 or 0.50usd")
        return cls("credits", value)

    def part(self, price: OrderPrice) -> Decimal:
        """How much of it a price takes."""
        return Decimal(price.credits) if self.unit == "credits" else price.usd

    def said(self, value: Decimal) -> str:
        """A value of its unit in words."""
        return count(int(value), "credit") if self.unit == "credits" else _dollars(value)

    def __str__(self) -> str:
        return self.said(self.value)


@dataclass(slots=True)
class Purse:
    """What submissions may cost together, and what they have been promised by their idempotency keys.

    What a job gave back is not counted back: an agent that tries for ever spends no more than one that succeeds.
    """

    limit: Amount | None
    _held: dict[str, OrderPrice] = field(default_factory=dict)

    @property
    def spent(self) -> OrderPrice:
        """Of all submissions that were accepted."""
        return sum(self._held.values(), NOTHING)

    @property
    def left(self) -> str | None:
        """In words; None where there is no limit."""
        if self.limit is None:
            return None
        return self.limit.said(self.limit.value - self.limit.part(self.spent))

    def hold(self, key: str, price: OrderPrice, budget: Amount | None) -> OrderPrice | None:
        """Sets a price aside under its key, once however often it is asked; gives what stood there before.

        budget: of this call alone. Raises OverBudget, and UsageProblem where nothing says what it may cost.
        """
        before = self._held.get(key)
        if before is not None and price.credits <= before.credits and price.usd <= before.usd:
            return before
        if budget is None and self.limit is None:
            raise UsageProblem(
                "Nothing says what this may cost.",
                hint='Give it a budget, such as "4" for credits or "$0.50"; or start the server with one: '
                "bmn mcp --write --budget 20",
            )
        if budget is not None and budget.part(price) > budget.value:
            raise OverBudget(
                f"This would cost {budget.said(budget.part(price))}, and its budget is {budget}.",
                hint="Nothing was submitted. Ask for less, or give it a larger budget.",
            )
        others = sum((held for name, held in self._held.items() if name != key), NOTHING)
        if self.limit is not None and self.limit.part(others + price) > self.limit.value:
            raise OverBudget(
                f"This would cost {self.limit.said(self.limit.part(price))}; "
                f"this server may spend {self.left} more of its {self.limit}.",
                hint="Nothing was submitted. Ask for less; a person can start `bmn mcp` with a larger --budget.",
            )
        self._held[key] = price
        return before

    def release(self, key: str, before: OrderPrice | None) -> None:
        """Puts a key back to what `hold` gave, when its submission was refused: what was accepted under it stays spent."""
        if before is None:
            self._held.pop(key, None)
        else:
            self._held[key] = before


def _dollars(value: Decimal) -> str:
    """With cents, and with as many digits more as say something: a budget is compared with all of them."""
    digits = f"{value:.6f}".rstrip("0")
    whole, _, cents = digits.partition(".")
    return f"${whole}.{cents:0<2}"
