"""AC-8 to AC-16: logos and mockups from the request to the record."""

import time
from typing import Any

import httpx
import pytest

from tests.acceptance.recordings import Recording
from tests.acceptance.world import Person, figures, nine_in_ten, rows
from tests.kit.processes import PATIENCE, wait_until
from tests.kit.stack import Stack

LOGO_ANSWER = {"jobId", "generationJobId", "queueName", "message"}


@pytest.mark.timed
def test_ac_08_a_submission_is_answered_in_under_50_ms(idle: Stack, record_property: Any) -> None:
    """POST /generation/logos answers 202 with a job id in under 50 ms

    Three people spend the twenty credits of a new user each, on one connection each, as a front end has one.
    """
    took: list[float] = []
    for person in [Person(idle) for _ in range(3)]:
        order = {"brandId": person.brand().id, "count": 1}
        headers = {"Authorization": f"Bearer {person.token}"}
        with httpx.Client(base_url=idle.api_url, headers=headers, timeout=PATIENCE) as browser:
            for _ in range(20):
                began = time.perf_counter()
                answer = browser.post("/api/v1/generation/logos", json=order)
                took.append((time.perf_counter() - began) * 1000)
                assert answer.status_code == 202
                assert set(answer.json()) == LOGO_ANSWER
                assert answer.json()["queueName"] == "logo-generation"
    record_property("figures", figures(took))
    assert nine_in_ten(took) < 50


@pytest.mark.node
def test_ac_09_progress_is_told_and_grows(logos: Recording) -> None:
    """The client receives job:progress events during generation"""
    told = [data["progress"] for data in logos.data("job:progress")]
    assert len(told) >= 5
    assert told == sorted(told)
    assert told[:2] == [0, 5]
    assert logos.events[-1][0] == "job:complete"
    assert logos.events[-1][1]["progress"] == 100
    assert [data["seq"] for _, data, _ in logos.events] == list(range(1, len(logos.events) + 1))


@pytest.mark.node
def test_ac_10_the_end_is_told_with_the_logos(logos: Recording) -> None:
    """The client receives job:complete with the logos' records"""
    (complete,) = logos.data("job:complete")
    assert complete["status"] == "complete"
    found = complete["result"]["logos"]
    assert len(found) == 4
    for row in found:
        assert (row["brand_id"], row["asset_type"]) == (logos.brand.id, "logo")
        picture = httpx.get(row["url"])
        assert picture.status_code == 200
        assert picture.content.startswith(b"\x89PNG")


@pytest.mark.node
def test_ac_11_generation_jobs_holds_the_final_status(stack: Stack, logos: Recording) -> None:
    """generation_jobs is updated with the final status"""
    (row,) = rows(stack, "SELECT * FROM generation_jobs WHERE bullmq_job_id = ?", logos.job_ids[0])
    assert (row["status"], row["progress"], row["error"]) == ("complete", 100, None)
    assert row["result"] is not None
    assert row["completed_at"] is not None


@pytest.mark.node
def test_ac_12_brand_assets_holds_four_logos(stack: Stack, logos: Recording) -> None:
    """brand_assets contains 4 new logo records"""
    found = rows(stack, "SELECT * FROM brand_assets WHERE brand_id = ? AND asset_type = 'logo'", logos.brand.id)
    assert len(found) == 4
    for row in found:
        assert row["url"].startswith("http")
        assert httpx.get(row["url"]).status_code == 401  # durable, and nobody's but the owner's
        assert httpx.get(row["url"], headers={"Authorization": f"Bearer {logos.person.token}"}).status_code == 200


@pytest.mark.node
def test_ac_13_image_upload_jobs_are_dispatched(stack: Stack, logos: Recording) -> None:
    """Image upload jobs are dispatched for the generated logos

    The generator stores its picture itself, so that no address of a provider can expire; the job makes the thumbnail.
    """
    uploads = "SELECT * FROM jobs WHERE queue = 'image-upload' AND brand_id = ? AND payload LIKE '%\"logo\"%'"
    assert len(rows(stack, uploads, logos.brand.id)) == 4

    def done() -> bool:
        return {row["state"] for row in rows(stack, uploads, logos.brand.id)} == {"completed"}

    wait_until(done, what="four uploads")
    assets = logos.person.get(f"/brands/{logos.brand.id}/assets?type=logo")["assets"]
    assert [httpx.get(asset["thumbnailUrl"]).status_code for asset in assets] == [200] * 4


@pytest.mark.node
def test_ac_14_a_job_is_dispatched_for_each_product(mockups: Recording) -> None:
    """POST /generation/mockups dispatches one job per product"""
    assert len(mockups.answer["jobs"]) == len(set(mockups.job_ids)) == 3
    assert {job["queueName"] for job in mockups.answer["jobs"]} == {"mockup-generation"}
    assert len({job["productId"] for job in mockups.answer["jobs"]}) == 3


@pytest.mark.node
def test_ac_15_each_mockup_tells_its_own_progress(mockups: Recording) -> None:
    """Each mockup job emits progress independently, to the brand's room"""
    order = [data["jobId"] for _, data, _ in mockups.events if data["jobId"] in mockups.job_ids]
    spans = {job_id: (order.index(job_id), len(order) - order[::-1].index(job_id)) for job_id in mockups.job_ids}
    for job_id in mockups.job_ids:
        told = [data for _, data, _ in mockups.events if data["jobId"] == job_id]
        assert [data["seq"] for data in told] == list(range(1, len(told) + 1))
        progress = [data["progress"] for data in told]
        assert progress == sorted(progress)
        assert len(progress) >= 3
    starts, ends = [first for first, _ in spans.values()], [last for _, last in spans.values()]
    assert max(starts) < min(ends), "they ran one after another"


@pytest.mark.node
def test_ac_16_each_mockup_is_saved(stack: Stack, mockups: Recording) -> None:
    """Each mockup is saved to brand_assets"""
    found = rows(stack, "SELECT * FROM brand_assets WHERE brand_id = ? AND asset_type = 'mockup'", mockups.brand.id)
    assert {row["job_id"] for row in found} == set(mockups.job_ids)
    assert len(found) == 3
    told = [data["result"] for data in mockups.data("job:complete") if data["jobId"] in mockups.job_ids]
    assert {result["asset"]["id"] for result in told} == {row["id"] for row in found}
