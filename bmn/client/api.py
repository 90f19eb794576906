"""The API as functions: one a route, each answering with its document."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack
from uuid import uuid4

from bmn.client.http import HttpClient
from bmn.client.patience import insist
from bmn.schemas import documents

Fields = Mapping[str, object]
"""A request's body, in the wire's camelCase; a field that is None is left out."""


class Whose(TypedDict, total=False):
    """Whose jobs; for admins. user: an id or a mail address. all: everybody's. Neither: the caller's."""

    user: str | None
    all: bool | None


class JobQuery(Whose, total=False):
    """Which jobs. prefix: of the uuid or the whole id. since, until: seconds ago. minCost: USD."""

    queue: str | Sequence[str] | None
    state: str | Sequence[str] | None
    cause: str | None
    brand: str | None
    groupId: str | None
    text: str | None
    prefix: str | None
    since: float | None
    until: float | None
    minCost: float | None


class LetterQuery(TypedDict, total=False):
    """Which dead letters. since: seconds ago."""

    queue: str | None
    cause: str | None
    text: str | None
    since: float | None


class AuditQuery(TypedDict, total=False):
    """Which acts. action: whole, or up to a dot. key: an API key's id. since, until: seconds ago."""

    actor: str | None
    action: str | None
    subject: str | None
    key: str | None
    since: float | None
    until: float | None


class Client(HttpClient):
    """Talks to one server as one user.

    role: `user` or `admin`, for the tokens we sign ourselves on the local development server.
    on_notice: called with a sentence about what the client waits for.
    Every method raises BmnError: the server's refusal, or NoServer where nobody answers.
    """

    # --- generating ---------------------------------------------------------------------------------------------------

    async def generate(self, kind: str, body: Fields, *, idempotency_key: str | None = None) -> documents.Submitted:
        """Submits one job. kind: `logos`, `bundles`, `videos` or `wizard`.

        The key makes a repetition harmless: the same key and body are one job. Without one the call gets its own.
        """
        key = idempotency_key or uuid4().hex
        return await self._post(f"/generation/{kind}", documents.Submitted, _given(body), idempotency_key=key)

    async def generate_mockups(self, body: Fields, *, idempotency_key: str | None = None) -> documents.MockupsSubmitted:
        """Submits one job a product; all of them or none. The key is that of `generate`."""
        key = idempotency_key or uuid4().hex
        return await self._post("/generation/mockups", documents.MockupsSubmitted, _given(body), idempotency_key=key)

    async def estimate(self, kind: str, body: Fields) -> documents.Estimate:
        """What the same submission would ask for and cost; nothing is stored."""
        return await self._post(f"/generation/{kind}/estimate", documents.Estimate, _given(body), safe=True)

    # --- kits ---------------------------------------------------------------------------------------------------------

    async def start_kit(self, body: Fields, *, idempotency_key: str | None = None) -> documents.Kit:
        """Begins a whole brand. The key is that of `generate`, and stands for its kit for as long as that is kept."""
        key = idempotency_key or uuid4().hex
        return await self._post("/generation/kits", documents.Kit, _given(body), idempotency_key=key)

    async def kit_price(self, body: Fields) -> documents.KitPrice:
        """What the same kit would come to, step by step; nothing is stored."""
        return await self._post("/generation/kits/estimate", documents.KitPrice, _given(body), safe=True)

    async def kits(
        self,
        *,
        brand: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> documents.KitPage:
        """One page of the caller's kits, newest first."""
        return await self._get("/kits", documents.KitPage, brand=brand, state=state, limit=limit, cursor=cursor)

    async def kit(self, kit_id: str) -> documents.Kit:
        """A kit, its steps and their jobs."""
        return await self._get(f"/kits/{kit_id}", documents.Kit)

    async def pick(self, kit_id: str, asset_id: str) -> documents.Kit:
        """Picks the logo that a kit waits for."""
        return await self._post(f"/kits/{kit_id}/pick", documents.Kit, {"assetId": asset_id})

    async def cancel_kit(self, kit_id: str, *, reason: str | None = None) -> documents.Kit:
        """Ends a kit: nothing more is ordered, its open jobs are cancelled."""
        return await self._post(f"/kits/{kit_id}/cancel", documents.Kit, _given({"reason": reason}))

    # --- jobs ---------------------------------------------------------------------------------------------------------

    async def jobs(
        self, *, limit: int | None = None, cursor: str | None = None, **query: Unpack[JobQuery]
    ) -> documents.JobPage:
        """One page of the caller's jobs, newest first. cursor: the `next_cursor` of the page before."""
        return await self._get("/jobs", documents.JobPage, limit=limit, cursor=cursor, **query)

    async def job_groups(self, *, by: str, **query: Unpack[JobQuery]) -> documents.JobGroups:
        """How many jobs have the same `cause`, `queue`, `user` or `hour`, and what they cost; of the newest 10,000."""
        return await self._get("/jobs/groups", documents.JobGroups, by=by, **query)

    async def job(self, job_id: str, *, patience: float = 0.0) -> documents.JobRecord:
        """Everything known about a job. patience: seconds to go on asking while the server is away."""
        return await insist(lambda: self._get(f"/jobs/{job_id}", documents.JobRecord), patience)

    async def why(self, job_id: str) -> documents.Why:
        """Why a job is where it is, what it cost, what to do."""
        return await self._get(f"/jobs/{job_id}/why", documents.Why)

    async def logs(self, job_id: str, *, after: int = 0, attempt: int | None = None) -> list[documents.LogLine]:
        """The next lines of a job's log. after: the id of the last line that is known."""
        return (await self._get(f"/jobs/{job_id}/logs", documents.JobLogs, after=after, attempt=attempt)).logs

    async def cancel(self, job_id: str, *, reason: str | None = None) -> documents.Cancellation:
        """Stops a job. What is finished is kept and charged."""
        return await self._post(f"/jobs/{job_id}/cancel", documents.Cancellation, _given({"reason": reason}), safe=True)

    async def retry(
        self, job_id: str, *, changes: Fields | None = None, reason: str | None = None
    ) -> documents.Retried:
        """Replays an ended job, once. changes: fields of its payload to set first."""
        body = _given({"changes": changes or {}, "reason": reason})
        return await self._post(f"/jobs/{job_id}/retry", documents.Retried, body)

    # --- brands and what belongs to them ------------------------------------------------------------------------------

    async def create_brand(self, name: str, **fields: object) -> documents.Brand:
        """A new brand. fields: `vision`, `archetype`, `colorPalette`, `logoStyle`."""
        return await self._post("/brands", documents.Brand, _given({**fields, "name": name}))

    async def change_brand(self, brand_id: str, **fields: object) -> documents.Brand:
        """Sets fields of a brand: `name`, `vision`, `archetype`, `colorPalette`, `logoStyle`; the others stay."""
        return await self._patch(f"/brands/{brand_id}", documents.Brand, fields)

    async def brands(
        self, *, name: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> documents.BrandPage:
        """One page of the caller's brands, newest first. name: the whole name, in any case."""
        return await self._get("/brands", documents.BrandPage, name=name, limit=limit, cursor=cursor)

    async def brand(self, brand_id: str) -> documents.Brand:
        """One brand."""
        return await self._get(f"/brands/{brand_id}", documents.Brand)

    async def assets(
        self, brand_id: str, *, kind: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> documents.AssetPage:
        """One page of a brand's pictures and films, newest first. kind: of this type only."""
        path = f"/brands/{brand_id}/assets"
        return await self._get(path, documents.AssetPage, type=kind, limit=limit, cursor=cursor)

    async def asset(self, asset_id: str) -> documents.Asset:
        """One picture or film."""
        return await self._get(f"/assets/{asset_id}", documents.Asset)

    async def select(self, asset_id: str) -> documents.Asset:
        """Makes an asset the chosen one of its brand and type."""
        return await self._post(f"/assets/{asset_id}/select", documents.Asset, safe=True)

    async def products(self) -> list[documents.Product]:
        """The catalogue that logos are put on."""
        return (await self._get("/products", documents.Products)).products

    # --- money --------------------------------------------------------------------------------------------------------

    async def credits(self, *, limit: int | None = None, cursor: str | None = None) -> documents.Credits:
        """The caller's balance and one page of its movements, newest first."""
        return await self._get("/credits", documents.Credits, limit=limit, cursor=cursor)

    async def costs(
        self, *, by: str = "kind", since: float | None = None, user: str | None = None, everyone: bool = False
    ) -> documents.Costs:
        """What providers charged, by `kind`, `provider`, `model`, or, for admins, `user`. since: seconds ago.

        user, everyone: for admins, whose it was.
        """
        return await self._get("/costs", documents.Costs, by=by, since=since, user=user, all=everyone or None)

    # --- sharing ------------------------------------------------------------------------------------------------------

    async def browser_token(
        self, *, job_id: str | None = None, brand_id: str | None = None, expires_in: int | None = None
    ) -> documents.BrowserToken:
        """A token that reads and follows one job or brand, for a page. expires_in: seconds."""
        body = _given({"jobId": job_id, "brandId": brand_id, "expiresIn": expires_in})
        return await self._post("/tokens", documents.BrowserToken, body)

    async def share(self, job_id: str, *, hours: int | None = None) -> documents.ShareLink:
        """A link that shows a job to whoever holds it."""
        return await self._post(f"/jobs/{job_id}/share", documents.ShareLink, _given({"hours": hours}))

    async def shares(
        self, *, ended: bool = False, limit: int | None = None, cursor: str | None = None
    ) -> documents.Shares:
        """One page of the links that the caller handed out, newest first. ended: also those that show nothing any more."""
        return await self._get("/shares", documents.Shares, all=ended or None, limit=limit, cursor=cursor)

    async def revoke_share(self, share_id: str) -> documents.Share:
        """Withdraws one link."""
        return await self._post(f"/shares/{share_id}/revoke", documents.Share, safe=True)

    # --- webhooks -----------------------------------------------------------------------------------------------------

    async def webhook_endpoints(self) -> list[documents.WebhookEndpoint]:
        """The account's receivers, oldest first."""
        return (await self._get("/webhooks/endpoints", documents.WebhookEndpoints)).endpoints

    async def add_webhook_endpoint(self, url: str, events: Sequence[str] = ()) -> documents.MadeWebhookEndpoint:
        """A receiver of all jobs from now on. events: of the ends of jobs, where none are given."""
        body = _given({"url": url, "events": list(events) or None})
        return await self._post("/webhooks/endpoints", documents.MadeWebhookEndpoint, body)

    async def remove_webhook_endpoint(self, endpoint_id: str) -> None:
        """It hears nothing more."""
        await self._delete(f"/webhooks/endpoints/{endpoint_id}")

    async def webhook_secret(self, endpoint_id: str | None = None) -> str:
        """What an endpoint's deliveries are signed with; without one, those of `webhookUrl`."""
        path = f"/webhooks/endpoints/{endpoint_id}/secret" if endpoint_id else "/webhooks/default/secret"
        return (await self._get(path, documents.WebhookSecret)).key

    async def test_webhook(
        self, *, endpoint_id: str | None = None, url: str | None = None
    ) -> documents.WebhookDelivery:
        """Sends `webhook.test` to an endpoint or an address; `webhook_delivery` says what came of it."""
        body = _given({"endpointId": endpoint_id, "url": url})
        return await self._post("/webhooks/test", documents.WebhookDelivery, body)

    async def webhook_deliveries(
        self,
        *,
        job: str | None = None,
        endpoint: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> documents.WebhookDeliveries:
        """One page of the log, newest first. state: pending, delivered, failed or dropped."""
        chosen = {"job": job, "endpoint": endpoint, "state": state, "limit": limit, "cursor": cursor}
        return await self._get("/webhooks/deliveries", documents.WebhookDeliveries, **chosen)

    async def webhook_delivery(self, delivery_id: str) -> documents.WebhookDelivery:
        """One entry of the log."""
        return await self._get(f"/webhooks/deliveries/{delivery_id}", documents.WebhookDelivery)

    async def replay_webhook(self, delivery_id: str) -> documents.WebhookDelivery:
        """Sends it once more, under the same id."""
        return await self._post(f"/webhooks/deliveries/{delivery_id}/replay", documents.WebhookDelivery)

    async def listen(self, events: Sequence[str] = ()) -> documents.MadeWebhookEndpoint:
        """A receiver that asks for its messages with `take_messages`; gone a minute after it last did."""
        return await self._post(
            "/webhooks/listen", documents.MadeWebhookEndpoint, _given({"events": list(events) or None})
        )

    async def take_messages(self, listener: str) -> list[documents.WebhookMessage]:
        """What a listener has not got yet; again and again, until `note_outcome` says what came of it."""
        answer = await self._post(f"/webhooks/listen/{listener}", documents.WebhookMessages, safe=True)
        return answer.messages

    async def note_outcome(
        self, listener: str, delivery_id: str, *, status: int | None, error: str | None = None
    ) -> documents.WebhookDelivery:
        """What became of a message that was handed on."""
        body = _given({"status": status, "error": error})
        return await self._post(
            f"/webhooks/listen/{listener}/{delivery_id}", documents.WebhookDelivery, body, safe=True
        )

    # --- signing in ---------------------------------------------------------------------------------------------------

    async def me(self) -> documents.Me:
        """Who the server takes us for."""
        return await self._get("/me", documents.Me)

    async def sign_in_link(self, path: str = "/") -> documents.SignInLink:
        """An address that signs a browser in as the caller, once, and leads to a page of ours."""
        return await self._post("/session", documents.SignInLink, {"path": path}, safe=True)

    # --- for admins ---------------------------------------------------------------------------------------------------

    async def queues(self) -> list[documents.QueueStatus]:
        """Every queue: what waits, what runs, who works on it, how long it takes."""
        return (await self._get("/admin/queues", documents.Queues)).queues

    async def pause(self, queue: str, reason: str = "") -> documents.QueueStatus:
        """Stops taking jobs from a queue; those that run go on."""
        return await self._post(f"/admin/queues/{queue}/pause", documents.QueueStatus, {"reason": reason}, safe=True)

    async def resume(self, queue: str, reason: str | None = None) -> documents.QueueStatus:
        """Takes jobs from a queue again."""
        body = _given({"reason": reason})
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
        body = _given({"name": name, "host": host, "seconds": seconds, "reason": reason})
        return (await self._post("/admin/workers/drain", documents.Workers, body, safe=True)).workers

    async def scale(
        self, queue: str, count: int, *, host: str | None = None, reason: str | None = None
    ) -> documents.Scaled:
        """Tells supervisors how many workers of a queue to keep. Gives whom it told."""
        body = _given({"queue": queue, "count": count, "host": host, "reason": reason})
        return await self._post("/admin/workers/scale", documents.Scaled, body, safe=True)

    async def alerts(self, *, kind: str | None = None, ended: bool = False) -> documents.Alerts:
        """What is wrong now, the newest first, and what is muted. ended: what is over as well, of the last month."""
        return await self._get("/admin/alerts", documents.Alerts, kind=kind, ended=ended or None)

    async def acknowledge(self, alert_id: int, reason: str | None = None) -> documents.AlertRecord:
        """Says that the caller has taken an alert up."""
        body = _given({"reason": reason})
        return await self._post(f"/admin/alerts/{alert_id}/ack", documents.AlertRecord, body, safe=True)

    async def mute(self, kind: str, seconds: float, reason: str | None = None) -> documents.AlertMutes:
        """Keeps a kind of alert from being told for so long. Gives what is muted then."""
        body = _given({"kind": kind, "seconds": seconds, "reason": reason})
        return await self._post("/admin/alerts/mute", documents.AlertMutes, body, safe=True)

    async def unmute(self, kind: str, reason: str | None = None) -> documents.AlertMutes:
        """Has a kind told again. Gives what is muted then."""
        return await self._post("/admin/alerts/unmute", documents.AlertMutes, _given({"kind": kind, "reason": reason}))

    async def incidents(self) -> documents.Incidents:
        """What is going on: open alerts, and causes above their usual share."""
        return await self._get("/admin/incidents", documents.Incidents)

    async def incident(self, name: str, *, since: float | None = None) -> documents.Incident:
        """The account of a cause, or of an alert by its number. since: seconds ago."""
        return await self._get(f"/admin/incidents/{name}", documents.Incident, since=since)

    async def dead_letters(
        self, *, limit: int | None = None, cursor: str | None = None, **query: Unpack[LetterQuery]
    ) -> documents.DeadLetterPage:
        """One page of open dead letters, newest first."""
        return await self._get("/admin/dlq", documents.DeadLetterPage, limit=limit, cursor=cursor, **query)

    # --- actions on many jobs -----------------------------------------------------------------------------------------

    async def bulk_estimate(self, body: Fields, *, operators: bool = False) -> documents.BulkEstimate:
        """What an action would come to. body: as for `start_bulk`. operators: on everybody's jobs."""
        return await self._post(f"{_bulk(operators)}-estimate", documents.BulkEstimate, _given(body), safe=True)

    async def start_bulk(self, body: Fields, *, operators: bool = False) -> documents.BulkAction:
        """Begins an action that the server carries out, or joins the same one that is open.

        body: `action` (`retry`, `cancel`, for operators `replay` and `purge`), `ids` or a filter, `rate`, `stopAt`.
        """
        return await self._post(_bulk(operators), documents.BulkAction, _given(body), safe=True)

    async def bulk_actions(
        self, *, operators: bool = False, limit: int | None = None, cursor: str | None = None
    ) -> documents.BulkPage:
        """One page of actions, newest first."""
        return await self._get(_bulk(operators), documents.BulkPage, limit=limit, cursor=cursor)

    async def bulk(self, bulk_id: str, *, operators: bool = False) -> documents.BulkAction:
        """How far an action is."""
        return await self._get(f"{_bulk(operators)}/{bulk_id}", documents.BulkAction)

    async def bulk_items(
        self,
        bulk_id: str,
        *,
        operators: bool = False,
        state: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> documents.BulkItems:
        """Jobs of an action and what became of each. state: `waiting`, `done` or `refused`."""
        path = f"{_bulk(operators)}/{bulk_id}/items"
        return await self._get(path, documents.BulkItems, state=state, after=after, limit=limit)

    async def change_bulk(
        self, bulk_id: str, change: str, *, operators: bool = False, reason: str | None = None
    ) -> documents.BulkAction:
        """Does `pause`, `resume` or `abort` to an action."""
        path = f"{_bulk(operators)}/{bulk_id}/{change}"
        return await self._post(path, documents.BulkAction, _given({"reason": reason}), safe=True)

    # --- dead letters and money, for admins ---------------------------------------------------------------------------

    async def replay(self, selection: Fields) -> documents.Replays:
        """Replays dead letters, each once. selection: `ids`, a filter, or `all`; with `dryRun` only what it would do."""
        return await self._post("/admin/dlq/replay", documents.Replays, _given(selection), safe=True)

    async def purge(self, selection: Fields) -> documents.Purged:
        """Gives dead letters up. selection: as for `replay`."""
        return await self._post("/admin/dlq/purge", documents.Purged, _given(selection), safe=True)

    async def grant(self, amount: int, *, user_id: str | None = None, reason: str | None = None) -> documents.Granted:
        """Gives credits to a user, by default to the caller."""
        body = _given({"amount": amount, "userId": user_id, "reason": reason})
        return await self._post("/admin/credits", documents.Granted, body)

    async def create_key(
        self,
        name: str,
        role: str,
        *,
        user_id: str | None = None,
        expires_in: int | None = None,
        reason: str | None = None,
    ) -> documents.MadeKey:
        """A new API key; its text is in the answer, and nowhere else. expires_in: seconds; None for never."""
        body = {"name": name, "role": role, "userId": user_id, "expiresIn": expires_in, "reason": reason}
        return await self._post("/admin/keys", documents.MadeKey, _given(body))

    async def keys(self, *, ended: bool = False) -> list[documents.KeyRecord]:
        """API keys, the newest first. ended: revoked and expired ones too."""
        return (await self._get("/admin/keys", documents.Keys, ended=ended or None)).keys

    async def revoke_key(self, key_id: str, *, reason: str | None = None) -> documents.KeyRecord:
        """Ends a key, once and for good."""
        return await self._post(
            f"/admin/keys/{key_id}/revoke", documents.KeyRecord, _given({"reason": reason}), safe=True
        )

    async def audit(
        self, *, limit: int | None = None, cursor: str | None = None, **query: Unpack[AuditQuery]
    ) -> documents.AuditPage:
        """One page of what was done, newest first."""
        return await self._get("/admin/audit", documents.AuditPage, limit=limit, cursor=cursor, **query)


def _bulk(operators: bool) -> str:
    return "/admin/bulk" if operators else "/bulk"


def _given(fields: Fields) -> Fields:
    """Without what is None."""
    return {name: value for name, value in fields.items() if value is not None}
