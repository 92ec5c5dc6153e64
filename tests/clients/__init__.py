"""Clients: real programs whose own schema is filled as they would fill it, at a size that hurts."""
