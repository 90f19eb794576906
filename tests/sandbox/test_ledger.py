"""The bill of the sandbox."""

import time
from pathlib import Path

import httpx

from tests.kit.sandbox import RunningSandbox, running

ORDER = {"prompt": 'Brand logo for "Acme"', "width": 256, "height": 256}


def order(sandbox: RunningSandbox, **fields: object) -> dict[str, str]:
    answer = httpx.post(f"{sandbox.url}/v1/flux-2-pro", json={**ORDER, **fields}, headers={"x-key": "k"})
    assert answer.status_code == 200, answer.text
    submitted: dict[str, str] = answer.json()
    return submitted


def test_a_billed_call_tells_model_unit_price_and_whose_it_was(sandbox: RunningSandbox) -> None:
    begin = time.time()
    submitted = order(sandbox)
    [row] = sandbox.ledger()
    assert (row["provider"], row["model"], row["unit"], row["units"]) == ("bfl", "flux-2-pro", "image", 1)
    assert row["usd"] == 0.03 and begin - 1 < row["time"] < time.time() + 1
    assert row["taskId"] == submitted["id"] and row["prompt"] == ORDER["prompt"]


def test_the_same_request_has_the_same_hashes_and_another_does_not(sandbox: RunningSandbox) -> None:
    for seed in (1, 1, 2):
        order(sandbox, seed=seed)
    first, again, other = sandbox.ledger()
    assert first["requestHash"] == again["requestHash"] != other["requestHash"]
    assert first["promptHash"] == other["promptHash"]
    assert len({row["id"] for row in (first, again, other)}) == 3


def test_a_long_prompt_is_kept_by_its_beginning(sandbox: RunningSandbox) -> None:
    order(sandbox, prompt="x" * 900)
    assert sandbox.ledger()[0]["prompt"] == "x" * 200


def test_the_price_follows_the_size(sandbox: RunningSandbox) -> None:
    order(sandbox, width=2048, height=1024)
    assert sandbox.ledger()[0]["usd"] == 0.045


def test_rows_are_chosen_by_provider_and_time(sandbox: RunningSandbox) -> None:
    order(sandbox)
    ledger = f"{sandbox.url}/_sandbox/ledger"
    assert sandbox.ledger("openai") == []
    assert len(httpx.get(ledger, params={"since": time.time() - 60}).json()) == 1
    assert httpx.get(ledger, params={"since": time.time() + 60}).json() == []
    assert httpx.get(ledger, params={"since": "2099-01-01T00:00:00+00:00"}).json() == []
    refused = httpx.get(ledger, params={"since": "yesterday"})
    assert refused.status_code == 400 and "since" in refused.json()["error"]


def test_the_bill_outlives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as sandbox:
        order(sandbox)
        before = sandbox.ledger()
    with running(tmp_path) as sandbox:
        order(sandbox, seed=2)
        after = sandbox.ledger()
    assert after[:1] == before and len(after) == 2


def test_a_refused_prompt_is_free_and_a_refused_result_is_not(sandbox: RunningSandbox) -> None:
    sandbox.fault("bfl", moderate=1, stage="request")
    order(sandbox)
    assert sandbox.ledger() == []
    sandbox.fault("bfl", moderate=1, stage="content")
    order(sandbox)
    assert len(sandbox.ledger()) == 1
