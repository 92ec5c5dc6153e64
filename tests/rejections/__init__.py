"""Rejections: a row that cannot be filled is named and kept out, and the others go on."""
