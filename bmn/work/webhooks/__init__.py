"""Outgoing webhooks: from the rows that a change has left to the receivers, by the queue `webhook-delivery`."""
