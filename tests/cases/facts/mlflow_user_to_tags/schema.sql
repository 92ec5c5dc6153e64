CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, user_id VARCHAR(256), experiment_id INTEGER);
CREATE TABLE tags ("key" VARCHAR(250), value VARCHAR(250), run_uuid VARCHAR(32), PRIMARY KEY ("key",run_uuid));
