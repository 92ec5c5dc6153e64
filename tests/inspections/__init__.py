"""What each database refuses by itself, one file a database."""
