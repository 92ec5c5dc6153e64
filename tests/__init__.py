"""The tests: everything runs against real databases."""
