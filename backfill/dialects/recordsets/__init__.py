"""How a batch's rows travel to the database in one statement; one file a database."""
