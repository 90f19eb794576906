"""How long rows and objects are kept, and what comes back from the archive."""
