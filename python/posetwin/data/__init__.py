"""Assembled sets on disk: making them, reading them, caching what is frozen."""
