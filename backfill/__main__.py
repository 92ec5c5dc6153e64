"""`python -m backfill`."""

from backfill.cli import main

main()
