"""Benchmarks: backfill beside what people do without it, as ratios taken side by side in one run."""
