"""A queue is a payload, a row, a handler and a test: the four agree."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import ValidationError

from bmn.jobs.executor import load_handler
from bmn.jobs.queue import Queue
from bmn.schemas.generators import KINDS
from bmn.schemas.kind import Kind
from bmn.schemas.payloads import Payload
from bmn.schemas.webhook_payloads import DELIVERY_QUEUE
from bmn.settings import Settings
from bmn.work.queue_names import QUEUE_NAMES
from bmn.work.registry import ALL_QUEUES, QUEUES, get_queue

_TESTS = Path(__file__).parents[1]

# The specification's figures: slots, timeout, priority, attempts, backoff, kept completed, kept failed
FIGURES = {
    "brand-wizard": (2, 300, 1, 2, 5, 200, 500),
    "logo-generation": (4, 120, 1, 3, 3, 500, 500),
    "mockup-generation": (4, 120, 1, 3, 3, 500, 500),
    "bundle-composition": (2, 120, 2, 3, 5, 200, 200),
    "video-generation": (1, 300, 2, 2, 10, 100, 100),
    "crm-sync": (5, 30, 5, 5, 10, 1000, 1000),
    "email-send": (10, 15, 3, 5, 5, 2000, 1000),
    "image-upload": (5, 60, 2, 3, 3, 500, 500),
    "cleanup": (1, 120, 10, 1, 60, 50, 50),
}


def test_the_nine_queues_a_tenth_and_the_dead_letters_are_there() -> None:
    assert set(QUEUES) == {*FIGURES, DELIVERY_QUEUE}
    assert (*QUEUES, "dead-letter") == ALL_QUEUES
    assert set(QUEUE_NAMES) == set(QUEUES)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_generator_fits_the_columns_and_the_view(kind: Kind) -> None:
    """`generation_jobs` takes its word from the queue's name."""
    assert len(kind.queue) <= 32
    assert kind.queue in ("brand-wizard", "bundle-composition", f"{kind.job_type}-generation")


@pytest.mark.parametrize("name", FIGURES)
def test_a_queue_has_the_figures_of_the_specification(name: str) -> None:
    queue = get_queue(name)
    kept = (queue.keep_completed.count, queue.keep_failed.count)
    found = (queue.slots, queue.timeout, queue.priority, queue.attempts, queue.backoff, *kept)
    assert found == FIGURES[name]


@pytest.mark.parametrize("queue", QUEUES.values(), ids=lambda queue: queue.name)
def test_a_queue_has_a_handler_a_payload_and_a_test(queue: Queue) -> None:
    handler = load_handler(queue)
    assert inspect.iscoroutinefunction(handler)
    assert list(inspect.signature(handler).parameters) == ["ctx"]
    assert callable(import_module(queue.handler).run)
    assert issubclass(queue.payload, Payload)
    assert queue.payload.VERSION >= 1
    mentions = [path for path in _TESTS.rglob("test_*.py") if path != Path(__file__) and queue.name in path.read_text()]
    assert mentions, f"no test speaks of {queue.name}"


@pytest.mark.parametrize("queue", QUEUES.values(), ids=lambda queue: queue.name)
def test_a_generator_has_a_price_and_the_others_have_none(queue: Queue) -> None:
    assert (queue.credits is not None) == bool(queue.job_type)
    if queue.credits is None:
        assert queue.units(queue.payload.model_construct()) == 0
    else:
        assert Settings().credits_of(queue.job_type, -1) in (queue.credits, -1)


def test_the_price_of_a_generator_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMN_CREDITS", "poster=3, flyer=0")
    monkeypatch.setenv("BMN_CREDITS_LOGO", "2")
    settings = Settings()
    found = [settings.credits_of(word, 9) for word in ("poster", "flyer", "sticker", "logo")]
    assert found == [3, 0, 9, 2]


@pytest.mark.parametrize("text", ["poster", "poster=x", "poster=-1", "poster=3;flyer=2"])
def test_a_price_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BMN_CREDITS", text)
    with pytest.raises(ValidationError, match="poster=3,flyer=2"):
        Settings()


def test_a_server_knows_every_generator_and_loads_no_vendor() -> None:
    """Importing one's SDK takes up to a second; the worker of its queue does it."""
    code = "import sys, bmn.server.app, bmn.work.registry; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"bmn.work.generators.mockups", "bmn.server.app"} <= loaded
    assert not loaded & {"openai", "anthropic", "google.genai", *(queue.vendor for queue in QUEUES.values())}


def test_job_ids_carry_their_queue_and_fit_their_column() -> None:
    for name in QUEUES:
        job_id = QUEUES[name].new_id()
        assert job_id.startswith(f"{name}-")
        assert len(job_id) <= 128
