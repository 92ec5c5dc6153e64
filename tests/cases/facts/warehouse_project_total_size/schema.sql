CREATE TABLE projects (id CHAR(36) PRIMARY KEY, name TEXT);
CREATE TABLE releases (id CHAR(36) PRIMARY KEY, project_id CHAR(36) REFERENCES projects (id));
CREATE TABLE release_files (id CHAR(36) PRIMARY KEY, release_id CHAR(36) REFERENCES releases (id), size INTEGER);
-- expand step (what the schema revision before the data step would do)
ALTER TABLE projects ADD COLUMN total_size BIGINT DEFAULT 0;
