"""Declarations: one module a case, with its transforms in the order of `STEPS`."""
