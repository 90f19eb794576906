"""Receivers of webhooks, the log of deliveries, and listening to them on this machine."""

from collections.abc import Sequence

from bmn.client.calls.fields import given
from bmn.client.http import HttpClient
from bmn.schemas import documents


class WebhookCalls(HttpClient):
    """Receivers of webhooks, the log of deliveries, and listening to them on this machine."""

    async def webhook_endpoints(self) -> list[documents.WebhookEndpoint]:
        """The account's receivers, oldest first."""
        return (await self._get("/webhooks/endpoints", documents.WebhookEndpoints)).endpoints

    async def add_webhook_endpoint(self, url: str, events: Sequence[str] = ()) -> documents.MadeWebhookEndpoint:
        """A receiver of all jobs from now on. events: of the ends of jobs, where none are given."""
        body = given({"url": url, "events": list(events) or None})
        return await self._post("/webhooks/endpoints", documents.MadeWebhookEndpoint, body)

    async def remove_webhook_endpoint(self, endpoint_id: str) -> None:
        """It hears nothing more."""
        await self._delete(f"/webhooks/endpoints/{endpoint_id}")

    async def enable_webhook_endpoint(self, endpoint_id: str) -> documents.WebhookEndpoint:
        """One that was disabled hears again from the next event on."""
        return await self._post(f"/webhooks/endpoints/{endpoint_id}/enable", documents.WebhookEndpoint)

    async def webhook_secret(self, endpoint_id: str | None = None) -> str:
        """What an endpoint's deliveries are signed with; without one, those of `webhookUrl`."""
        path = f"/webhooks/endpoints/{endpoint_id}/secret" if endpoint_id else "/webhooks/default/secret"
        return (await self._get(path, documents.WebhookSecret)).key

    async def test_webhook(
        self, *, endpoint_id: str | None = None, url: str | None = None
    ) -> documents.WebhookDelivery:
        """Sends `webhook.test` to an endpoint or an address; `webhook_delivery` says what came of it."""
        body = given({"endpointId": endpoint_id, "url": url})
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
            "/webhooks/listen", documents.MadeWebhookEndpoint, given({"events": list(events) or None})
        )

    async def take_messages(self, listener: str) -> list[documents.WebhookMessage]:
        """What a listener has not got yet; again and again, until `note_outcome` says what came of it."""
        answer = await self._post(f"/webhooks/listen/{listener}", documents.WebhookMessages, safe=True)
        return answer.messages

    async def note_outcome(
        self, listener: str, delivery_id: str, *, status: int | None, error: str | None = None
    ) -> documents.WebhookDelivery:
        """What became of a message that was handed on."""
        body = given({"status": status, "error": error})
        return await self._post(
            f"/webhooks/listen/{listener}/{delivery_id}", documents.WebhookDelivery, body, safe=True
        )
