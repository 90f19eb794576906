"""When tasks are looked at: the figures are a simulation of the schedule, not of a clock."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest

from bmn.providers.polling import PollSchedule


def looks(schedule: PollSchedule, ready: float) -> list[float]:
    """The moments at which a task that is ready after `ready` seconds is looked at; the last one finds it."""
    moments = [schedule.first_pause()]
    while moments[-1] < ready:
        moments.append(moments[-1] + schedule.pause(moments[-1]))
    return moments


def taught(durations: Sequence[float]) -> PollSchedule:
    schedule = PollSchedule(0.05, 0.5)
    for seconds in durations:
        schedule.record(seconds)
    return schedule


def test_a_task_that_is_ready_at_once_is_found_by_the_first_look() -> None:
    assert looks(taught([]), 0.0) == [0.0]
    assert looks(taught([0.002] * 50), 0.0) == [0.0]


def test_without_a_history_a_look_is_late_by_a_share_of_the_tasks_own_time() -> None:
    for ready in (0.3, 1.0, 4.0):
        assert looks(taught([]), ready)[-1] - ready <= max(0.05, 0.08 * ready) + 1e-9


def test_with_a_history_a_usual_task_is_found_sooner_and_with_fewer_looks() -> None:
    random = Random(1)
    usual = [random.gauss(8.0, 0.6) for _ in range(50)]
    blind, wise = looks(taught([]), 8.0), looks(taught(usual), 8.0)
    assert wise[-1] - 8.0 <= 0.1
    assert sum(moment < min(usual) for moment in wise) <= 17  # one each half second, for progress
    assert len(wise) < len(blind) + 20


@pytest.mark.parametrize("history", [[], [1.0] * 50, [0.0] * 50, [30.0] * 50])
def test_no_two_looks_are_closer_or_further_apart_than_the_vendor_allows(history: list[float]) -> None:
    moments = looks(taught(history), 40.0)
    gaps = [after - before for before, after in pairwise(moments)]
    assert min(gaps) > 0
    assert max(gaps) <= 0.5 + 1e-9


def test_a_service_that_has_become_slower_is_not_asked_densely_for_ever() -> None:
    late = looks(taught([1.0] * 50), 10.0)
    assert len(late) < 80
    assert late[-1] - 10.0 <= 0.5
