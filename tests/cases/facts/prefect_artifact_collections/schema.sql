CREATE TABLE artifact (id INTEGER PRIMARY KEY, data JSON, description VARCHAR(255), flow_run_id INTEGER, task_run_id INTEGER, type VARCHAR(255), metadata_ JSON);
CREATE TABLE artifact_collection (id INTEGER PRIMARY KEY, "key" VARCHAR(255), latest_id INTEGER, data JSON, description VARCHAR(255), flow_run_id INTEGER, task_run_id INTEGER, type VARCHAR(255), metadata_ JSON);
