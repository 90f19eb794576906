"""`--dry-run`: the prompts, what they would cost, and how long they would take."""

import shlex
import sys

from bmn.cli.following.report import warn
from bmn.cli.order import Body
from bmn.cli.terminal import exit_codes
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import InsufficientCredits
from bmn.format import count, duration, usd
from bmn.schemas.documents import Estimate, KitPrice


async def show_estimate(client: Client, kind: str, body: Body) -> int:
    """Asks what a submission would come to; submits nothing."""
    estimate = await client.estimate(kind, body)
    if console.json:
        console.document(estimate)
        return exit_codes.DONE
    for number, prompt in enumerate(estimate.prompts, start=1):
        console.answer(f"{number}  {prompt}")
    cost = usd(estimate.usd)
    console.answer(f"credits   {estimate.credits} of {estimate.credits_available}")
    console.answer(f"cost      {f'sandbox: $0.00 (with a key: {cost})' if estimate.sandboxed else cost}")
    console.answer(f"time      {_usual(estimate)}; {count(estimate.waiting, 'job')} ahead")
    warn(estimate.warning)
    console.say("nothing was submitted")
    console.next_step(shlex.join(["bmn", *(word for word in sys.argv[1:] if word not in ("-n", "--dry-run"))]))
    return exit_codes.DONE


def check_price(estimate: Estimate | KitPrice) -> None:
    """Raises InsufficientCredits where it is known already that the order would be refused for them."""
    promised = estimate.credits_promised if isinstance(estimate, KitPrice) else 0
    if estimate.credits > estimate.credits_available - promised:
        raise InsufficientCredits(estimate.credits, max(0, estimate.credits_available - promised))


def _usual(estimate: Estimate) -> str:
    expected = estimate.expected
    if not expected:
        limit = estimate.attempt_seconds
        most = f", at most {duration(limit, whole=True)} an attempt" if limit else ""
        return f"too few made yet to say{most}"
    return f"about {duration(expected.p50_ms / 1000)}, seldom over {duration(expected.p90_ms / 1000)}"
