"""The project's transforms: one file each, kept as long as its revision."""
