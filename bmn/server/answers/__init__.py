"""Rows and records as the documents that the API answers with."""
