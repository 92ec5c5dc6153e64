"""Tests of the doors to Alembic and Flask, on projects made by the stock commands."""
