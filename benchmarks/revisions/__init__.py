"""Delembic's revisions: data migrations as its users write them."""
