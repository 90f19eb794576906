"""Reading jobs, and acting on one."""

from typing import Unpack

from bmn.client.calls.fields import Fields, JobQuery, given, revealing
from bmn.client.http import HttpClient
from bmn.client.patience import insist
from bmn.schemas import documents


class JobCalls(HttpClient):
    """Reading jobs, and acting on one."""

    async def jobs(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        reveal: str | None = None,
        **query: Unpack[JobQuery],
    ) -> documents.JobPage:
        """One page of the caller's jobs, newest first. cursor: the `next_cursor` of the page before.

        reveal: why an operator looks at what other users have said and made.
        """
        return await self._get("/jobs", documents.JobPage, limit=limit, cursor=cursor, **query, **revealing(reveal))

    async def job_groups(self, *, by: str, reveal: str | None = None, **query: Unpack[JobQuery]) -> documents.JobGroups:
        """How many jobs have the same `cause`, `queue`, `user` or `hour`, and what they cost; of the newest 10,000.

        reveal: as in `jobs`.
        """
        return await self._get("/jobs/groups", documents.JobGroups, by=by, **query, **revealing(reveal))

    async def job(self, job_id: str, *, patience: float = 0.0, reveal: str | None = None) -> documents.JobRecord:
        """Everything known about a job. patience: seconds to go on asking while the server is away. reveal: as in `jobs`."""
        asked = revealing(reveal)
        return await insist(lambda: self._get(f"/jobs/{job_id}", documents.JobRecord, **asked), patience)

    async def why(self, job_id: str, *, reveal: str | None = None) -> documents.Why:
        """Why a job is where it is, what it cost, what to do. reveal: as in `jobs`."""
        return await self._get(f"/jobs/{job_id}/why", documents.Why, **revealing(reveal))

    async def logs(
        self, job_id: str, *, after: int = 0, attempt: int | None = None, reveal: str | None = None
    ) -> list[documents.LogLine]:
        """The next lines of a job's log. after: the id of the last line that is known. reveal: as in `jobs`."""
        path, asked = f"/jobs/{job_id}/logs", revealing(reveal)
        return (await self._get(path, documents.JobLogs, after=after, attempt=attempt, **asked)).logs

    async def cancel(self, job_id: str, *, reason: str | None = None) -> documents.Cancellation:
        """Stops a job. What is finished is kept and charged."""
        return await self._post(f"/jobs/{job_id}/cancel", documents.Cancellation, given({"reason": reason}), safe=True)

    async def retry(
        self, job_id: str, *, changes: Fields | None = None, reason: str | None = None
    ) -> documents.Retried:
        """Replays an ended job, once. changes: fields of its payload to set first."""
        body = given({"changes": changes or {}, "reason": reason})
        return await self._post(f"/jobs/{job_id}/retry", documents.Retried, body)
