"""The proof that the batch protocol holds: crashes, rivals and broken links on real databases.

Each fault is injected at every statement of a small run; the transforms are not repeatable, so a row that is
taken twice, or not at all, shows. Longer sizes: `python -m tests.faults --help`.
"""
