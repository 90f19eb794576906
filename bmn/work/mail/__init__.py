"""Mails: rendered and sent."""
