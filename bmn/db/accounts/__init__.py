"""Whose it is: credits, API keys, shared links, what people did, and requests that were repeated."""
