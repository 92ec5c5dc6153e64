"""The checks, one file a check: what is refused before the first batch, and why."""
