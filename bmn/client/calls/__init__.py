"""The calls of the API by noun: one a route, each answering with its document."""
