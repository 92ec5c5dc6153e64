CREATE TABLE messages (id VARCHAR(255) PRIMARY KEY, agent_id VARCHAR(255), created_at DATETIME NOT NULL);
-- expand step (what the schema revision before the data step would do)
ALTER TABLE messages ADD COLUMN sequence_id BIGINT;
