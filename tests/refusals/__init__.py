"""Refusals: bad definitions, documents, tables, settings and names, each with the code that it is refused by."""
