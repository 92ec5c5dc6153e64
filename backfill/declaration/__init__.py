"""Declaration: what a user says becomes of rows, as data; no engine, no connection, no I/O."""
