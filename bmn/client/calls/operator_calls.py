"""For operators: queues, workers, alerts, incidents and dead letters."""

from typing import Unpack

from bmn.client.calls.fields import Fields, LetterQuery, given, revealing
from bmn.client.http import HttpClient
from bmn.schemas import documents


class OperatorCalls(HttpClient):
    """For operators: queues, workers, alerts, incidents and dead letters."""

    async def queues(self) -> list[documents.QueueStatus]:
        """Every queue: what waits, what runs, who works on it, how long it takes."""
        return (await self._get("/admin/queues", documents.Queues)).queues

    async def pause(self, queue: str, reason: str = "") -> documents.QueueStatus:
        """Stops taking jobs from a queue; those that run go on."""
        return await self._post(f"/admin/queues/{queue}/pause", documents.QueueStatus, {"reason": reason}, safe=True)

    async def resume(self, queue: str, reason: str | None = None) -> documents.QueueStatus:
        """Takes jobs from a queue again."""
        body = given({"reason": reason})
        return await self._post(f"/admin/queues/{queue}/resume", documents.QueueStatus, body, safe=True)

    async def workers(self) -> list[documents.WorkerStatus]:
        """Every worker and the jobs it holds; none while Redis is away."""
        return (await self._get("/admin/workers", documents.Workers)).workers

    async def overview(self) -> documents.Overview:
        """Queues, workers, open alerts, what ended lately and what was spent."""
        return await self._get("/admin/overview", documents.Overview)

    async def calls(self, job_id: str) -> documents.ProviderCalls:
        """What providers were asked for a job."""
        return await self._get(f"/admin/jobs/{job_id}/calls", documents.ProviderCalls)

    async def send_probes(self) -> documents.Probes:
        """One job that costs nothing for each worker of each queue."""
        return await self._post("/admin/probes", documents.Probes, {}, safe=True)

    async def drain(
        self, name: str, *, host: str | None = None, seconds: float, reason: str | None = None
    ) -> list[documents.WorkerStatus]:
        """Tells workers to finish within so many seconds and to end for good. Gives those that were told."""
        body = given({"name": name, "host": host, "seconds": seconds, "reason": reason})
        return (await self._post("/admin/workers/drain", documents.Workers, body, safe=True)).workers

    async def scale(
        self, queue: str, count: int, *, host: str | None = None, reason: str | None = None
    ) -> documents.Scaled:
        """Tells supervisors how many workers of a queue to keep. Gives whom it told."""
        body = given({"queue": queue, "count": count, "host": host, "reason": reason})
        return await self._post("/admin/workers/scale", documents.Scaled, body, safe=True)

    async def alerts(self, *, kind: str | None = None, ended: bool = False) -> documents.Alerts:
        """What is wrong now, the newest first, and what is muted. ended: what is over as well, of the last month."""
        return await self._get("/admin/alerts", documents.Alerts, kind=kind, ended=ended or None)

    async def acknowledge(self, alert_id: int, reason: str | None = None) -> documents.AlertRecord:
        """Acknowledges an alert on behalf of the caller."""
        body = given({"reason": reason})
        return await self._post(f"/admin/alerts/{alert_id}/ack", documents.AlertRecord, body, safe=True)

    async def mute(self, kind: str, seconds: float, reason: str | None = None) -> documents.AlertMutes:
        """Silences a kind of alert for so long. Gives what is muted then."""
        body = given({"kind": kind, "seconds": seconds, "reason": reason})
        return await self._post("/admin/alerts/mute", documents.AlertMutes, body, safe=True)

    async def unmute(self, kind: str, reason: str | None = None) -> documents.AlertMutes:
        """Reports a kind again. Gives what is muted then."""
        return await self._post("/admin/alerts/unmute", documents.AlertMutes, given({"kind": kind, "reason": reason}))

    async def incidents(self) -> documents.Incidents:
        """What is going on: open alerts, and causes above their usual share."""
        return await self._get("/admin/incidents", documents.Incidents)

    async def incident(self, name: str, *, since: float | None = None) -> documents.Incident:
        """The account of a cause, or of an alert by its number. since: seconds ago."""
        return await self._get(f"/admin/incidents/{name}", documents.Incident, since=since)

    async def dead_letters(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        reveal: str | None = None,
        **query: Unpack[LetterQuery],
    ) -> documents.DeadLetterPage:
        """One page of open dead letters, newest first. reveal: as in `jobs`."""
        asked = revealing(reveal)
        return await self._get("/admin/dlq", documents.DeadLetterPage, limit=limit, cursor=cursor, **query, **asked)

    async def replay(self, selection: Fields) -> documents.Replays:
        """Replays dead letters, each once. selection: `ids`, a filter, or `all`; with `dryRun` only what it would do."""
        return await self._post("/admin/dlq/replay", documents.Replays, given(selection), safe=True)

    async def purge(self, selection: Fields) -> documents.Purged:
        """Gives dead letters up. selection: as for `replay`."""
        return await self._post("/admin/dlq/purge", documents.Purged, given(selection), safe=True)
