"""Brand Me Now: generation jobs that are never lost, never billed twice, never shown to the wrong person."""

__version__ = "0.1.0"
