"""Rows: how they are walked, locked, read and written; nothing else touches a user's table."""
