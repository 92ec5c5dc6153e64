CREATE TABLE chat (id VARCHAR(255) PRIMARY KEY, user_id TEXT, chat JSON);
-- expand step (what the schema revision before the data step would do)
CREATE TABLE chat_message (id VARCHAR(255) PRIMARY KEY, chat_id VARCHAR(255) NOT NULL, user_id TEXT, role TEXT NOT NULL, parent_id TEXT, content JSON, output JSON, model_id TEXT, files JSON, sources JSON, embeds JSON, done BOOLEAN, status_history JSON, error JSON, "usage" JSON, created_at BIGINT, updated_at BIGINT);
