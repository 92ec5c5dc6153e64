CREATE TABLE db_dbnode (id INTEGER PRIMARY KEY, node_type VARCHAR(255), attributes JSON);
