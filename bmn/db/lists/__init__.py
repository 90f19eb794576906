"""Finding jobs and records: pages of a list, and what is looked for in it."""
