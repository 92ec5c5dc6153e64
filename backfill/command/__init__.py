"""Command: what doors to a terminal share: the project they open, the pages they print, the codes they leave with."""
