CREATE TABLE task_instance (id CHAR(36) PRIMARY KEY, task_id VARCHAR(250), dag_id VARCHAR(250), run_id VARCHAR(250), map_index INTEGER, UNIQUE (dag_id,task_id,run_id,map_index));
CREATE TABLE task_instance_note (task_id VARCHAR(250) NOT NULL, dag_id VARCHAR(250) NOT NULL, run_id VARCHAR(250) NOT NULL, map_index INTEGER NOT NULL, content VARCHAR(1000), PRIMARY KEY (task_id,dag_id,run_id,map_index), FOREIGN KEY (dag_id,task_id,run_id,map_index) REFERENCES task_instance (dag_id,task_id,run_id,map_index));
-- expand step (what the schema revision before the data step would do)
ALTER TABLE task_instance_note ADD COLUMN ti_id CHAR(36);
