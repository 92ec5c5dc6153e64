CREATE TABLE pipeline (id CHAR(32) PRIMARY KEY, name VARCHAR(255) NOT NULL, version VARCHAR(255), version_hash VARCHAR(255), spec TEXT, docstring TEXT);
CREATE TABLE pipeline_run (id CHAR(32) PRIMARY KEY, pipeline_id CHAR(32));
CREATE TABLE pipeline_deployment (id CHAR(32) PRIMARY KEY, pipeline_id CHAR(32));
CREATE TABLE pipeline_build (id CHAR(32) PRIMARY KEY, pipeline_id CHAR(32));
CREATE TABLE schedule (id CHAR(32) PRIMARY KEY, pipeline_id CHAR(32));
-- expand step (what the schema revision before the data step would do)
ALTER TABLE pipeline_deployment ADD COLUMN pipeline_version_hash VARCHAR(255);
ALTER TABLE pipeline_deployment ADD COLUMN pipeline_spec TEXT;
