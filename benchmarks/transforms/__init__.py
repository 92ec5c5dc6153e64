"""The transforms that are measured: one file each, as in a project."""
