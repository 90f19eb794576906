"""Kits: a whole brand, ordered step by step by the system itself."""
