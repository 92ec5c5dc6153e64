CREATE TABLE work_pool (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255), type VARCHAR(255), default_queue_id INTEGER);
CREATE TABLE work_queue (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL, work_pool_id INTEGER, priority INTEGER, CONSTRAINT uq_work_queue__name UNIQUE (name));
CREATE TABLE flow_run (id INTEGER PRIMARY KEY, work_queue_id INTEGER, work_queue_name VARCHAR(255));
CREATE TABLE deployment (id INTEGER PRIMARY KEY, work_queue_id INTEGER, work_queue_name VARCHAR(255));
