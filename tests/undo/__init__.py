"""Undo: what was written is taken back, where nobody has changed it since."""
