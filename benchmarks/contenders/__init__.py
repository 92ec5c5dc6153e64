"""The contenders, one family a file."""
