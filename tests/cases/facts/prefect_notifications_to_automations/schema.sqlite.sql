CREATE TABLE automation (id INTEGER PRIMARY KEY, name VARCHAR(255), description VARCHAR(255), enabled BOOLEAN, "trigger" JSON, actions JSON);
CREATE TABLE flow_run_notification_queue (id CHAR(36) PRIMARY KEY);
CREATE TABLE flow_run_notification_policy (id CHAR(36) PRIMARY KEY, is_active BOOLEAN, state_names JSON, tags JSON, message_template VARCHAR(255), block_document_id CHAR(36));
