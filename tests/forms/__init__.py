"""The forms, one file a form: rows in, writes out, on real databases."""
