"""Webhooks: who receives them, and what became of each message."""
