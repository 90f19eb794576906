"""What users are told of a failure: what happened to them, never who the vendor is or what it said."""

import re
from functools import partial
from typing import Any

import pytest

from bmn.db import job_store, transitions
from bmn.db.accounts import credit_store
from bmn.db.operators import queue_store
from bmn.errors import CAUSES, Cause
from tests.handlers.orders import bundle, logos, mockup, video, wizard
from tests.kit.bench import Bench
from tests.kit.people import ANA

VENDORS = re.compile(
    r"(?i)\b(black forest|bfl|flux|openai|gpt|google|gemini|omni|veo|anthropic|claude|resend|highlevel)"
)
ADDRESS = re.compile(r"(?i)https?:|//|HTTP \d")
FAULTS: list[tuple[dict[str, Any], Cause]] = [
    ({"status": 503}, Cause.PROVIDER_OVERLOADED),
    ({"dropResponse": True}, Cause.PROVIDER_TIMEOUT),
    ({"garbage": "html"}, Cause.PROVIDER_GARBAGE),
    ({"status": 401}, Cause.PROVIDER_AUTH),
    ({"status": 429}, Cause.PROVIDER_RATE_LIMITED),
    ({"moderate": 9}, Cause.MODERATED),
]


KINDS = [
    pytest.param("logo-generation", logos, "bfl", id="logos"),
    pytest.param("mockup-generation", mockup, "openai", id="mockup"),
    pytest.param("bundle-composition", bundle, "google", id="bundle"),
    pytest.param("video-generation", video, "google", id="video"),
    pytest.param("brand-wizard", wizard, "anthropic", id="wizard"),
]


@pytest.mark.parametrize(("queue", "payload", "provider"), KINDS)
async def test_no_user_reads_who_the_vendor_is(bench: Bench, queue: str, payload: Any, provider: str) -> None:
    await bench.core.db.write(lambda conn: credit_store.grant(conn, ANA, 100, "test", None))
    fields = await payload(bench)
    for fault, cause in FAULTS:
        bench.sandbox.fault(provider, **fault)
        job_id = await bench.submit(queue, **fields)
        row = await bench.attempt(queue)
        assert (row["id"], row["cause"]) == (job_id, cause)
        shown = [row["message"], *(told.get("error") or told["message"] for told in await bench.events(job_id))]
        assert not [text for text in shown if VENDORS.search(text) or ADDRESS.search(text)]
        assert row["message"].startswith(CAUSES[cause].user_text) or cause is Cause.MODERATED
        bench.sandbox.clear()
        job = await bench.core.db.read(partial(job_store.get_job, job_id=job_id))
        await bench.core.db.write(partial(transitions.cancel_waiting, held=job))
        await bench.core.db.write(lambda conn: queue_store.set_running(conn, queue, by="test"))


async def test_a_request_that_a_vendor_refuses_names_the_field_and_not_the_vendor(bench: Bench) -> None:
    bench.sandbox.fault("bfl", op="submit", status=422)
    row = await bench.run("logo-generation", **await logos(bench))
    (told,) = await bench.events(row["id"], "job:failed")
    assert (row["cause"], told["retriesLeft"]) == ("bad_input", 0)
    assert "HTTP 422" in told["error"] and not VENDORS.search(told["error"])


async def test_the_operator_still_reads_who_it_was(bench: Bench) -> None:
    bench.sandbox.fault("bfl", op="submit", status=503)
    row = await bench.run("logo-generation", **await logos(bench))
    assert "Black Forest Labs is not well (HTTP 503" in row["error"]
    told = await bench.events(row["id"], "job:failed")
    assert [event["error"] for event in told[:2]] == [CAUSES[Cause.PROVIDER_OVERLOADED].told_before_retry] * 2
    assert told[-1]["error"] == CAUSES[Cause.PROVIDER_OVERLOADED].told
