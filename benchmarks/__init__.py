"""Benchmarks: what batches, checkpoints and validation cost, as ratios taken side by side in one run."""
