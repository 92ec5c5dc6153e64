"""The documentation is followed, as a reader would: files are written, commands typed, and their output compared."""
