"""Conversations of the brand wizard, and what users are written about them."""
