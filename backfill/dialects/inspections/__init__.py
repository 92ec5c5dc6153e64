"""What each database is asked about a server, a table, its key and its written columns; one file a database."""
