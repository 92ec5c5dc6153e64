"""Quiet: no value of a row and no password leaves by any way, whatever goes wrong."""
