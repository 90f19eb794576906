"""Faults that any vendor can have, and the control routes that set them."""

import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.kit.processes import PATIENCE
from tests.kit.sandbox import RunningSandbox

ORDER = {"prompt": 'Brand logo for "Acme"', "width": 256, "height": 256, "output_format": "png"}


@pytest.fixture
def bfl(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, headers={"x-key": "bfl_secret_of_ours"}, timeout=PATIENCE) as client:
        yield client


def order(bfl: httpx.Client, **fields: Any) -> httpx.Response:
    return bfl.post("/v1/flux-2-pro", json={**ORDER, **fields})


@pytest.mark.parametrize("status", [400, 401, 402, 403, 422, 429, 500, 502, 503])
def test_a_status_is_answered_as_often_as_asked_with_the_vendors_own_body(
    bfl: httpx.Client, sandbox: RunningSandbox, status: int
) -> None:
    sandbox.fault("bfl", status=status, times=2)
    answers = [order(bfl) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert {"detail", "message"} & set(answers[0].json())
    assert len(sandbox.ledger()) == 1, "a refused call is not billed"


def test_a_fault_without_times_lasts_until_it_is_cleared(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=503)
    assert [order(bfl).status_code for _ in range(5)] == [503] * 5
    assert bfl.delete("/_sandbox/faults").json() == {"cleared": 1}
    assert order(bfl).status_code == 200


def test_clearing_may_be_limited_to_a_provider(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=503)
    assert bfl.delete("/_sandbox/faults", params={"provider": "openai"}).json() == {"cleared": 0}
    assert order(bfl).status_code == 503


@pytest.mark.parametrize("wait", [7, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_retry_after_is_sent_in_seconds_or_as_a_date(
    bfl: httpx.Client, sandbox: RunningSandbox, wait: int | str
) -> None:
    sandbox.fault("bfl", status=429, retryAfter=wait, times=1)
    assert order(bfl).headers["retry-after"] == str(wait)


def test_a_status_may_carry_another_body(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=502, body="<h1>Bad gateway</h1>", times=1)
    sandbox.fault("bfl", status=500, body={"odd": 1}, times=1)
    assert order(bfl).text == "<h1>Bad gateway</h1>"
    assert order(bfl).json() == {"odd": 1}


def test_a_fault_can_pass_the_first_calls(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=500, op="submit", skip=2, times=1)
    assert [order(bfl).status_code for _ in range(4)] == [200, 200, 500, 200]


def test_a_fault_can_be_for_one_operation_path_or_text(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=500, op="poll", times=1)
    submitted = order(bfl).json()
    assert [bfl.get(submitted["polling_url"]).status_code for _ in range(2)] == [500, 200]
    sandbox.fault("bfl", status=503, path="/v1/credits", times=1)
    assert (order(bfl).status_code, bfl.get("/v1/credits").status_code) == (200, 503)
    sandbox.fault("bfl", status=422, match='logo for "Tea ☕"', times=1)
    assert [order(bfl, prompt=f'logo for "{n}"').status_code for n in ("Cake", "Tea ☕")] == [200, 422]


def test_a_fault_with_two_effects_counts_a_call_once(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", latency=0.05, status=500, skip=1, times=1)
    answers = [order(bfl) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    assert answers[1].elapsed.total_seconds() >= 0.05


def test_a_fault_for_every_provider_hits_this_one(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("*", status=500, times=1)
    assert order(bfl).status_code == 500


def test_a_fault_that_begins_later_leaves_calls_alone_until_then(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=500, after=0.05)
    assert order(bfl).status_code == 200
    for _ in range(200):
        if order(bfl, width=100).status_code == 500:
            return
    pytest.fail("the fault never began")


def test_latency_delays_the_answer(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", latency=0.2, times=1)
    assert order(bfl).elapsed.total_seconds() >= 0.2


def test_a_lost_answer_is_billed_and_resets_the_connection(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    submitted = order(bfl).json()
    sandbox.fault("bfl", dropResponse=True, times=1)
    assert bfl.get(submitted["polling_url"]).status_code == 200, "a poll is not an order"
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        order(bfl)
    assert len(sandbox.ledger("bfl")) == 2
    assert order(bfl).status_code == 200
    assert [entry["status"] for entry in sandbox.requests() if entry["op"] == "submit"] == [200, None, 200]


def test_the_answer_to_a_poll_is_lost_where_the_fault_says_so(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    submitted = order(bfl).json()
    sandbox.fault("bfl", dropResponse=True, op="poll", times=1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        bfl.get(submitted["polling_url"])


def test_a_hanging_call_is_never_answered_and_never_billed(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", hang=True, times=1)
    with pytest.raises(httpx.ReadTimeout):
        bfl.post("/v1/flux-2-pro", json=ORDER, timeout=0.1)
    assert sandbox.ledger() == []
    assert order(bfl).status_code == 200


def test_garbage_replaces_the_answer_of_a_call_that_was_made(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    for kind in (True, "empty", "truncated", "contenttype"):
        sandbox.fault("bfl", garbage=kind, times=1)
    html, empty, truncated, odd = (order(bfl) for _ in range(4))
    assert html.status_code == 200 and html.headers["content-type"].startswith("text/html")
    assert empty.content == b"" and empty.headers["content-type"] == "application/json"
    assert truncated.text.startswith('{"id"') and not truncated.text.endswith("}")
    assert odd.headers["content-type"] == "application/x-unknown" and odd.json()["id"]
    assert len(sandbox.ledger()) == 4


def test_a_gzip_bomb_is_small_on_the_wire_and_gigabytes_inside(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", garbage="gzipbomb", times=1)
    with bfl.stream("POST", "/v1/flux-2-pro", json=ORDER) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 4 * 2**20
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert len(unpacker.decompress(packed, 64 * 2**20)) == 64 * 2**20 and unpacker.unconsumed_tail


@pytest.mark.parametrize(("kind", "enough"), [("huge", 40 * 2**20), ("drip", 1)])
def test_an_endless_body_comes_in_pieces(bfl: httpx.Client, sandbox: RunningSandbox, kind: str, enough: int) -> None:
    sandbox.fault("bfl", garbage=kind, times=1)
    received = 0
    with bfl.stream("POST", "/v1/flux-2-pro", json=ORDER) as answer:
        assert "content-length" not in answer.headers
        for piece in answer.iter_raw():
            received += len(piece)
            if received >= enough:
                break
    assert received >= enough


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"provider": "bfl"}, "does nothing"),
        ({"provider": "nobody", "status": 500}, "unknown"),
        ({"provider": "bfl", "status": 200}, "status"),
        ({"provider": "bfl", "status": 500, "tims": 3}, "tims"),
        ({"provider": "bfl", "garbage": "confetti"}, "garbage"),
        ({"provider": "bfl", "retryAfter": 3}, "retryAfter"),
        ({"status": 500}, "provider"),
    ],
)
def test_a_bad_fault_is_refused_with_a_reason(bfl: httpx.Client, fault: dict[str, Any], says: str) -> None:
    answer = bfl.post("/_sandbox/faults", json=fault)
    assert answer.status_code == 400 and says in answer.json()["error"]
    assert bfl.get("/_sandbox/faults").json() == []


def test_the_faults_and_their_hits_are_listed(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", status=503, times=2)
    order(bfl)
    [listed] = bfl.get("/_sandbox/faults").json()
    assert (listed["hits"], listed["spent"], listed["status"], listed["times"]) == (1, False, 503, 2)


def test_the_request_log_masks_keys(bfl: httpx.Client, sandbox: RunningSandbox) -> None:
    order(bfl)
    [entry] = sandbox.requests()
    assert (entry["provider"], entry["op"], entry["method"], entry["status"]) == ("bfl", "submit", "POST", 200)
    assert entry["headers"]["x-key"] == "bfl***" and "secret_of_ours" not in str(entry)
    assert "Acme" in entry["body"]


def test_the_overview_says_what_is_running(bfl: httpx.Client) -> None:
    order(bfl)
    overview = bfl.get("/_sandbox/").json()
    assert "bfl" in overview["providers"] and overview["billed"]["bfl"]["calls"] == 1
    assert bfl.get("/_sandbox/health").json() == {"status": "ok"}
