"""What an agent may spend, and what it is shown: the parts of `bmn mcp` that need no server."""

import io
import random
from decimal import Decimal

import pytest
from PIL import Image

from bmn.cli.agents.agent_orders import AnyOrder
from bmn.cli.agents.agent_pictures import shown
from bmn.cli.agents.purse import Amount, OrderPrice, OverBudget, Purse
from bmn.errors import UsageProblem
from bmn.schemas.generators import KINDS


@pytest.mark.parametrize(
    ("text", "amount", "words"),
    [
        (20, Amount("credits", Decimal(20)), "20 credits"),
        ("1", Amount("credits", Decimal(1)), "1 credit"),
        ("$0.50", Amount("usd", Decimal("0.5")), "$0.50"),
        ("0.505 USD", Amount("usd", Decimal("0.505")), "$0.505"),
        ("3usd", Amount("usd", Decimal(3)), "$3.00"),
    ],
)
def test_an_amount_is_credits_or_dollars(text: str | int, amount: Amount, words: str) -> None:
    assert Amount.read(text) == amount
    assert str(amount) == words


@pytest.mark.parametrize("text", ["", "0.5", "-1", "$", "$1usd", "1e9", "nan", "ten", "20 €", "1,000", "0.1234567usd"])
def test_what_could_be_meant_either_way_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Amount.read(text)


def test_a_purse_gives_no_more_than_it_holds_and_counts_a_key_once() -> None:
    purse = Purse(Amount.read("$0.50"))
    for _ in range(2):
        purse.hold("a", OrderPrice.of(3, 0.3), None)
    assert purse.left == "$0.20"
    with pytest.raises(OverBudget, match=r"would cost \$0\.200001; this server may spend \$0\.20 more of its \$0\.50"):
        purse.hold("b", OrderPrice.of(1, 0.200001), None)
    purse.hold("b", OrderPrice.of(1, 0.2), None)
    assert purse.left == "$0.00"
    purse.release("a", None)
    assert (purse.left, purse.spent.credits) == ("$0.30", 1)


def test_another_order_under_a_used_key_is_weighed_again_and_frees_nothing_when_it_is_refused() -> None:
    purse = Purse(Amount.read(10))
    assert purse.hold("a", OrderPrice.of(4, 0.4), None) is None
    with pytest.raises(OverBudget):
        purse.hold("a", OrderPrice.of(11, 0.4), None)
    before = purse.hold("a", OrderPrice.of(9, 0.9), None)
    assert (before, purse.left) == (OrderPrice.of(4, 0.4), "1 credit")
    purse.release("a", before)  # the server says that the key was used for something else
    assert purse.left == "6 credits"


def test_what_a_call_may_cost_is_compared_in_its_own_unit() -> None:
    purse = Purse(Amount.read(10))
    with pytest.raises(OverBudget, match=r"would cost \$0\.51, and its budget is \$0\.50"):
        purse.hold("a", OrderPrice.of(1, 0.51), Amount.read("$0.50"))
    with pytest.raises(OverBudget, match="would cost 11 credits; this server may spend 10 credits more"):
        purse.hold("a", OrderPrice.of(11, 0.1), Amount.read("$0.50"))
    purse.hold("a", OrderPrice.of(10, 0.5), Amount.read("$0.50"))
    with pytest.raises(UsageProblem, match="Nothing says what this may cost"):
        Purse(None).hold("a", OrderPrice.of(1, 0.0), None)


def test_every_generator_can_be_ordered() -> None:
    kinds = {order.model_fields["kind"].annotation.__args__[0] for order in AnyOrder.__origin__.__args__}  # type: ignore[attr-defined]
    assert kinds == {*KINDS, "kit"}


def test_a_picture_is_shown_within_its_bounds_whatever_is_in_it() -> None:
    noise = Image.frombytes("RGB", (1500, 900), random.Random(7).randbytes(1500 * 900 * 3))
    file = io.BytesIO()
    noise.save(file, "PNG")
    seen = shown(file.getvalue(), 1024)
    assert seen is not None
    assert (seen.width, seen.height) == (1500, 900)
    assert len(seen.data) <= 256 * 1024
    assert max(Image.open(io.BytesIO(seen.data)).size) <= 1024
    assert shown(b"no picture", 512) is None
