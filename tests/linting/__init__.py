"""Reading revisions: what is found in them, what is not, and what they are split into."""
